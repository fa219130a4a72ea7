import type { ManagedSource } from "../../domain/admin/managed-source.ts";
import { lastInstant } from "../../domain/evaluation/evaluation-context.ts";
import type { FeatureKey } from "../../domain/evaluation/feature.ts";
import type { History } from "../../domain/events/history.ts";
import { type Audience, audience } from "../../domain/features/audience.ts";
import { type GrantResult, grantsIn } from "../../domain/features/feature-state.ts";
import type { Reach } from "../../domain/features/reach.ts";
import { resultWithin } from "../async/deadline.ts";
import { type ChangeEntry, changeEntryOf } from "../events/change-entry.ts";
import type { KnownFeature, ListFeatures } from "./list-features.ts";
import { type Presence, placementsOf, type SourceListing } from "./source-listing.ts";
import type { SourceStatus } from "./source-status.ts";

/** A source, and its part in the state of a feature. */
export type DecidingSource = {
  readonly source: ManagedSource;
  readonly status: SourceStatus;
  readonly presence: Presence | undefined;
  readonly reach: Reach;
  /** Of a grant: for whom it has the feature on after its gates. */
  readonly result: GrantResult | undefined;
  /** The last change of the feature in this source; `undefined` if the event log has none, or does not answer. */
  readonly lastChange: ChangeEntry | undefined;
};

/** A feature with all sources, side by side. */
export type ViewedFeature = KnownFeature & {
  /** In the order in which they decide: each grant with its gates behind it, other gates, vetoes. */
  readonly sources: readonly DecidingSource[];
  /** For whom it is on. */
  readonly audience: Audience;
};

/** The longest wait for changes that the log lacks yet, and for the last changes. */
const maxWaitMs = 1_000;

/**
 * Shows one feature with the part of each source in its state. `beforeRead` relays the outboxes to the log, and may
 * fail. Rejects as `ListFeatures.get` does.
 */
export function viewFeature(
  features: ListFeatures,
  history: Pick<History, "lastChangeOf" | "documentAt">,
  beforeRead: () => Promise<void>,
) {
  async function lastChange(
    { editableSet: stored, editableRules: rules }: ManagedSource,
    feature: FeatureKey,
  ): Promise<ChangeEntry | undefined> {
    if (stored) {
      const event = await history.lastChangeOf(stored.connection, stored.key.prefix, feature);
      return event?.change && changeEntryOf(event.change.record);
    }
    if (!rules) return undefined;
    const record = await history.documentAt(rules.connection, rules.collection, feature, lastInstant);
    return record && changeEntryOf(record);
  }

  return async (feature: FeatureKey): Promise<ViewedFeature> => {
    await resultWithin(maxWaitMs, beforeRead);
    const { listings, ...known } = await features.get(feature);
    const placements = placementsOf(feature, listings);
    const results = new Map(grantsIn(placements).map(({ source, result }) => [source.name, result]));
    const ordered = inDecidingOrder(listings);
    const sources = await Promise.all(
      ordered.map(async ({ source, status, presenceOf, reachOf }) => ({
        source,
        status,
        presence: presenceOf(feature),
        reach: reachOf(feature),
        result: results.get(source.name),
        lastChange: await resultWithin(maxWaitMs, () => lastChange(source, feature)),
      })),
    );
    return { ...known, sources, audience: audience(placements) };
  };
}

export type ViewFeature = ReturnType<typeof viewFeature>;

/** Each grant with its gates behind it, the gates of no grant, and the vetoes, each once. */
function inDecidingOrder(listings: readonly SourceListing[]): readonly SourceListing[] {
  const named = new Map(listings.map((listing) => [listing.source.name, listing]));
  const ofRole = (role: string) => listings.filter(({ source }) => source.role === role);
  const grants = ofRole("grant").flatMap((grant) => [
    grant,
    ...grant.source.gatedBy.flatMap((name) => named.get(name) ?? []),
  ]);
  return [...new Set([...grants, ...ofRole("gate"), ...ofRole("veto")])];
}
