import { SourceUnavailable, UnknownFeature } from "../../domain/errors.ts";
import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import { type FeatureKey, inOrder } from "../../domain/evaluation/feature.ts";
import { type FeatureState, featureState, featureStates } from "../../domain/features/feature-state.ts";
import type { Catalogue, CatalogueEntry } from "../admin/catalogue.ts";
import type { EditableSources } from "../admin/editable-sources.ts";
import type { ChangeEntry } from "../events/change-entry.ts";
import type { ReadUsage } from "../usage/read-usage.ts";
import type { ChangePositions, FeatureChanges } from "./feature-changes.ts";
import { type FeatureFilter, matcher, unusedSince } from "./feature-filter.ts";
import { type FeatureSort, type PageEnd, type Ranks, sortedBy, startAfter } from "./feature-sort.ts";
import { type Inventory, isListed, keysOf, type StateTable, stateTableOf } from "./inventory.ts";
import {
  hasUsers,
  type Presence,
  placementsOf,
  type SourceListing,
  sourceListing,
  sourceListings,
  usersOf,
} from "./source-listing.ts";
import type { SourceStatus } from "./source-status.ts";

/** A known feature. */
export type KnownFeature = {
  readonly feature: FeatureKey;
  readonly state: FeatureState;
  /** Whether a source that has the feature has values that may be outdated. */
  readonly stale: boolean;
  /**
   * By source, in YAML order. Omits a source that is unavailable, or that has no sets and does not list the feature.
   */
  readonly on: ReadonlyMap<string, Presence>;
  /** Whether a veto switches it off for everyone. */
  readonly killed: boolean;
  readonly entry: CatalogueEntry | undefined;
  /** `undefined` if the event log has none, or does not respond. */
  readonly lastChange: ChangeEntry | undefined;
};

/** Query for a page of features. */
export type FeatureQuery = {
  readonly filter: FeatureFilter;
  readonly sort: FeatureSort;
  readonly limit: number;
  readonly after?: PageEnd | undefined;
  /** Another time than now: a past one uses the sources of that time, but the present descriptions, and no changes. */
  readonly at?: Instant | undefined;
};

/** A page of features. */
export type FeaturePage = {
  readonly features: readonly KnownFeature[];
  /** `undefined` on the last page. */
  readonly next: PageEnd | undefined;
  /** The number of features that match the filter. */
  readonly total: number;
  /** The number of features by state that match the filter without its state. */
  readonly counts: Readonly<Record<FeatureState, number>>;
  /** The number of all known features. */
  readonly known: number;
  readonly sources: ReadonlyMap<string, SourceStatus>;
  /** Whether the event log answered. If not, there are no changes, and the order is by key. */
  readonly isLogAvailable: boolean;
};

/** The values that filters can have, each with the number of its features, sorted by value. */
export type Facets = {
  readonly owners: ReadonlyMap<string, number>;
  readonly tags: ReadonlyMap<string, number>;
  /** By source, in YAML order. */
  readonly sources: ReadonlyMap<string, number>;
};

/** Lists all known features, with their states and where they are on. */
export class ListFeatures {
  readonly #sources: EditableSources;
  readonly #catalogue: Catalogue;
  readonly #changes: FeatureChanges;
  readonly #usage: Pick<ReadUsage, "lastUses" | "recent">;
  readonly #now: () => Instant;
  readonly #past: (at: Instant) => EditableSources;
  #table: (StateTable & { readonly basis: readonly unknown[] }) | undefined;

  /** `past` returns the sets as of a time. */
  constructor(
    sources: EditableSources,
    catalogue: Catalogue,
    changes: FeatureChanges,
    usage: Pick<ReadUsage, "lastUses" | "recent">,
    now: () => Instant,
    past: (at: Instant) => EditableSources,
  ) {
    this.#sources = sources;
    this.#catalogue = catalogue;
    this.#changes = changes;
    this.#usage = usage;
    this.#now = now;
    this.#past = past;
  }

  /**
   * A page of features: those that a source lists, and those with a description. If a store has too many sets of users
   * to read them all, it omits features that only users have. Failures of sources make states unknown. Rejects with
   * `SourceUnavailable` if the catalogue cannot be read, for a past moment with `HistoryUnavailable` and
   * `EventLogUnavailable`, and with the latter for unused features.
   */
  async list({ filter, sort, limit, after, at }: FeatureQuery): Promise<FeaturePage> {
    const now = this.#now();
    const isPast = at !== undefined && at < now;
    const isByUsage = sort === "evaluated" || sort === "-evaluated";
    const [inventory, found, lastUses, recent] = await Promise.all([
      this.#inventory(isPast ? this.#past(at) : this.#sources, at ?? now),
      isPast ? undefined : this.#changes.positions(true),
      filter.unusedMs === undefined ? undefined : this.#usage.lastUses(),
      isByUsage && !isPast ? this.#usage.recent().catch(() => undefined) : undefined,
    ]);
    const positions: ChangePositions = found ?? new Map();
    const { listings } = inventory;
    const { states: known } = isPast ? stateTableOf(inventory) : this.#presentTable(inventory, now);
    const counts = Object.fromEntries(featureStates.map((state) => [state, 0])) as Record<FeatureState, number>;
    const matching = new Map<FeatureKey, FeatureState>();
    const matches = matcher(filter, inventory);
    const isUnused = unusedSince(now - (filter.unusedMs ?? 0), lastUses, inventory);
    for (const [feature, state] of known) {
      if (!matches(feature) || !isUnused(feature)) continue;
      counts[state] += 1;
      if (filter.state === undefined || filter.state === state) matching.set(feature, state);
    }
    const ranks: Ranks = (isByUsage ? recent : found) ?? new Map();
    const sorted = sortedBy(sort, [...matching.keys()], ranks);
    const start = after === undefined ? 0 : startAfter(after, sort, sorted, ranks);
    const page = sorted.slice(start, start + limit);
    const last = page.at(-1);
    const isLast = start + limit >= sorted.length;
    return {
      features: await this.#viewsOf(page, matching, inventory, positions),
      next: isLast || last === undefined ? undefined : { feature: last, rank: ranks.get(last) ?? 0 },
      total: matching.size,
      counts,
      known: known.size,
      sources: new Map(listings.map(({ source, status }) => [source.name, status])),
      isLogAvailable: found !== undefined,
    };
  }

  /** The values of filters. Rejects as `list` does for now. */
  async facets(): Promise<Facets> {
    const { listings, entries } = await this.#inventory(this.#sources, this.#now());
    const described = [...entries.values()];
    const listed = listings.map(({ source, features }) => [source.name, new Set(features).size] as const);
    return {
      owners: counted(described.flatMap(({ owner }) => (owner === "" ? [] : [owner]))),
      tags: counted(described.flatMap(({ tags }) => [...new Set(tags)])),
      sources: new Map(listed),
    };
  }

  /**
   * The keys of all features that a shared source lists now, and of those with a description, in no particular order.
   * Rejects as `list` does, and with `SourceUnavailable` if a source fails, unless evaluations omit it.
   */
  async keys(): Promise<readonly FeatureKey[]> {
    const shared = this.#sources.sources.filter((source) => !hasUsers(source));
    const { listings, entries } = await this.#inventory({ sources: shared }, this.#now());
    const failed = listings.find(({ status }) => status.state === "unavailable");
    if (failed) throw new SourceUnavailable(failed.source.name, failed.failure);
    return [...keysOf({ listings, entries })];
  }

  /** The keys of all features that `list` includes now, without a failure of the catalogue. */
  async knownKeys(): Promise<readonly FeatureKey[]> {
    const now = this.#now();
    const inventory = await this.#inventory(this.#sources, now).catch(() => undefined);
    return inventory ? [...this.#presentTable(inventory, now).states.keys()] : [];
  }

  /**
   * One feature, and the listings of all sources. Rejects with `UnknownFeature` if it is not known, and as `list` does.
   */
  async get(feature: FeatureKey): Promise<KnownFeature & { readonly listings: readonly SourceListing[] }> {
    const [entries, positions = new Map()] = await Promise.all([this.#catalogue.all(), this.#changes.positions()]);
    const listings = await sourceListings(this.#sources.sources, [feature], this.#now());
    const [view] = await this.#viewsOf([feature], undefined, { entries, listings }, positions);
    if (!view || !(view.entry || listings.some((listing) => isListed(listing, feature)))) throw new UnknownFeature();
    return { ...view, listings };
  }

  /** Caches the states of all features until something behind them changes. */
  #presentTable(inventory: Inventory, now: Instant): StateTable {
    const basis = [inventory.entries, ...inventory.listings.flatMap((listing) => listing.basis)];
    const last = this.#table;
    const isSame = basis.length === last?.basis.length && basis.every((value, index) => value === last.basis[index]);
    if (last && isSame && now < last.validUntil) return last;
    this.#table = { ...stateTableOf(inventory), basis };
    return this.#table;
  }

  async #inventory({ sources }: Pick<EditableSources, "sources">, at: Instant): Promise<Inventory> {
    const [entries, ...listings] = await Promise.all([
      this.#catalogue.all(),
      ...sources.map((source) => sourceListing(source, at)),
    ]);
    return { entries, listings };
  }

  /** `states`: the states as far as they were computed. */
  async #viewsOf(
    page: readonly FeatureKey[],
    states: ReadonlyMap<FeatureKey, FeatureState> | undefined,
    { listings, entries }: Inventory,
    positions: ChangePositions,
  ): Promise<readonly KnownFeature[]> {
    const [changes, ...users] = await Promise.all([
      this.#changes.at(page.flatMap((feature) => positions.get(feature) ?? [])),
      ...listings.map((listing) => (listing.isUncounted ? usersOf(listing.source, page).catch(() => []) : [])),
    ]);
    return page.map((feature, row) => {
      const placements = placementsOf(feature, listings);
      const on = new Map<string, Presence>();
      for (const [index, { source, presenceOf }] of listings.entries()) {
        const presence = presenceOf(feature);
        const count = users[index]?.[row];
        if (presence !== undefined) on.set(source.name, count === undefined ? presence : { users: count });
      }
      return {
        feature,
        state: states?.get(feature) ?? featureState(placements),
        stale: placements.some(({ reach }, index) => reach.kind !== "absent" && listings[index]?.status.stale),
        on,
        killed: placements.some(({ source, reach }) => source.role === "veto" && reach.kind === "everyone"),
        entry: entries.get(feature),
        lastChange: changes.get(positions.get(feature) ?? 0),
      };
    });
  }
}

function counted(values: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return new Map(inOrder(counts.keys()).map((value) => [value, counts.get(value) ?? 0]));
}
