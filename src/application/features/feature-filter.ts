import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import type { FeatureKey } from "../../domain/evaluation/feature.ts";
import type { FeatureState } from "../../domain/features/feature-state.ts";
import type { LastUses } from "../../domain/usage/usage-store.ts";
import type { CatalogueEntry } from "../admin/catalogue.ts";
import { type Inventory, isListed } from "./inventory.ts";

/** Filter for features. All given conditions must hold. */
export type FeatureFilter = {
  /** A substring of the key, description, owner or a tag, regardless of case. */
  readonly search?: string | undefined;
  readonly state?: FeatureState | undefined;
  readonly owner?: string | undefined;
  readonly tag?: string | undefined;
  /** The name of a source that lists the feature. */
  readonly source?: string | undefined;
  /**
   * Only features that were not used for this time, in milliseconds. Needs counts for as long, and excludes features
   * that were described within it.
   */
  readonly unusedMs?: number | undefined;
};

/** Whether a filter matches a feature, except for its state. */
export function matcher(
  { search = "", owner, tag, source }: FeatureFilter,
  { listings, entries }: Inventory,
): (feature: FeatureKey) => boolean {
  const text = search.toLowerCase();
  const listing = source === undefined ? undefined : listings.find((listing) => listing.source.name === source);
  return (feature) => {
    const entry = entries.get(feature);
    if (owner !== undefined && entry?.owner !== owner) return false;
    if (tag !== undefined && !entry?.tags.includes(tag)) return false;
    if (source !== undefined && !(listing && isListed(listing, feature))) return false;
    return text === "" || isFound(text, feature, entry);
  };
}

/** Whether a feature was not used since an instant; always true without last uses. */
export function unusedSince(
  instant: Instant,
  lastUses: LastUses | undefined,
  { entries }: Inventory,
): (feature: FeatureKey) => boolean {
  if (!lastUses) return () => true;
  const { since, uses } = lastUses;
  if (since === undefined || since > instant) return () => false;
  return (feature) => {
    const last = Math.max(uses.get(feature) ?? since, entries.get(feature)?.created ?? since);
    return last <= instant;
  };
}

const isFound = (search: string, feature: FeatureKey, entry: CatalogueEntry | undefined): boolean =>
  [feature, entry?.description ?? "", entry?.owner ?? "", ...(entry?.tags ?? [])].some((text) =>
    text.toLowerCase().includes(search),
  );
