import { type EditableSet, isPersonal } from "../../domain/admin/editable-set.ts";
import type { ManagedSource } from "../../domain/admin/managed-source.ts";
import { HistoryUnavailable, UnknownFeature } from "../../domain/errors.ts";
import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import { type FeatureKey, inOrder, type Json } from "../../domain/evaluation/feature.ts";
import { withDeadline } from "../evaluation/deadline.ts";
import { callStore } from "./call-store.ts";
import type { Catalogue, CatalogueEntry } from "./catalogue.ts";
import type { SourceSets } from "./source-sets.ts";

/** Maximum number of location sets that are read. */
const maxLocations = 1_000;
const atOnce = 100;

/**
 * Where one source has a feature on: for everyone or not; at which locations (`complete`: these are all); for how many
 * users, `null` if not known; or its rule, with the result for an empty context.
 */
export type FeatureState =
  | boolean
  | { readonly location: readonly string[]; readonly complete: boolean }
  | { readonly users: number | null }
  | { readonly rule: Json; readonly on: boolean };

/** A known feature. */
export type KnownFeature = {
  readonly feature: FeatureKey;
  /** By source, in YAML order. Omits a source without sets that does not list the feature. */
  readonly on: ReadonlyMap<string, FeatureState>;
  /** Whether a veto switches it off for everyone. */
  readonly killed: boolean;
  readonly entry: CatalogueEntry | undefined;
};

/** The features that one source lists, without the sets of users. */
type Listing = {
  readonly features: Iterable<FeatureKey>;
  /** `undefined` if the source does not list the feature. */
  readonly stateOf: (feature: FeatureKey) => FeatureState | undefined;
};

/** Lists all known features and where they are on. */
export class ListFeatures {
  readonly #sets: SourceSets;
  readonly #catalogue: Catalogue;
  readonly #now: () => Instant;
  readonly #past: (at: Instant) => SourceSets;

  /** `past` returns the sets as of a moment. */
  constructor(sets: SourceSets, catalogue: Catalogue, now: () => Instant, past: (at: Instant) => SourceSets) {
    this.#sets = sets;
    this.#catalogue = catalogue;
    this.#now = now;
    this.#past = past;
  }

  /**
   * A page of features, sorted by code point: those in a set that is not a user's, those that a source without sets
   * lists, and those with a description. `search` is a substring of the key, description, owner or a tag, regardless of
   * case. Returns at most `limit` features after a key; `more`: there are others. `at` selects another moment: a past
   * one uses the sources of that time, but the present descriptions. Rejects with `SourceUnavailable`, and for a past
   * moment with `HistoryUnavailable` and `EventLogUnavailable`.
   */
  async list(
    limit: number,
    search = "",
    after?: FeatureKey,
    at?: Instant,
  ): Promise<{ readonly features: readonly KnownFeature[]; readonly more: boolean }> {
    const now = this.#now();
    const sets = at !== undefined && at < now ? this.#past(at) : this.#sets;
    const { listings, entries } = await this.#gather(sets, at ?? now);
    const wanted = [...keysOf(listings, entries)].filter((feature) =>
      isFound(search.toLowerCase(), feature, entries.get(feature)),
    );
    const sorted = inOrder(new Set(after === undefined ? wanted : [...wanted, after]));
    const start = after === undefined ? 0 : sorted.indexOf(after) + 1;
    const page = sorted.slice(start, start + limit);
    return { features: await viewsOf(page, sets, listings, entries), more: start + limit < sorted.length };
  }

  /** The keys of all features that `list` returns now, in no particular order. Rejects as `list` does. */
  async keys(): Promise<readonly FeatureKey[]> {
    const { listings, entries } = await this.#gather(this.#sets, this.#now());
    return [...keysOf(listings, entries)];
  }

  /** One feature. Rejects with `UnknownFeature` if it is not known, and as `list` does. */
  async get(feature: FeatureKey): Promise<KnownFeature> {
    const { listings, entries } = await this.#gather(this.#sets, this.#now());
    const [view] = await viewsOf([feature], this.#sets, listings, entries);
    if (!view || !(view.entry || isSomewhere(view, this.#sets))) throw new UnknownFeature();
    return view;
  }

  /**
   * The number of users that have a feature in their own set; `null` if it is not known, or if several sources have
   * such sets.
   */
  async userCount(feature: FeatureKey): Promise<number | null> {
    const [first, ...others] = this.#sets.sources.filter(({ editableSet: stored }) => stored && isPersonal(stored));
    if (others.length > 0) return null;
    if (!first) return 0;
    return (await usersOf(first, [feature]))[0] ?? null;
  }

  async #gather({ sources }: SourceSets, at: Instant) {
    const shared = sources.filter(({ editableSet: stored }) => !stored || !isPersonal(stored));
    const [entries, ...listings] = await Promise.all([
      this.#catalogue.all(),
      ...shared.map(async (source) => [source.name, await listingOf(source, at)] as const),
    ]);
    return { entries, listings: new Map(listings) };
  }
}

const keysOf = (
  listings: ReadonlyMap<string, Listing>,
  entries: ReadonlyMap<FeatureKey, CatalogueEntry>,
): ReadonlySet<FeatureKey> =>
  new Set([...entries.keys(), ...[...listings.values()].flatMap(({ features }) => [...features])]);

async function listingOf(source: ManagedSource, at: Instant): Promise<Listing> {
  const { editableSet: stored } = source;
  try {
    return await callStore(source.name, () => (stored ? listingOfSets(stored) : listingWithoutSets(source, at)));
  } catch (error) {
    if (!stored && source.onFailure === "skip" && !(error instanceof HistoryUnavailable)) {
      return { features: [], stateOf: () => undefined };
    }
    throw error;
  }
}

async function viewsOf(
  page: readonly FeatureKey[],
  { sources }: SourceSets,
  listings: ReadonlyMap<string, Listing>,
  entries: ReadonlyMap<FeatureKey, CatalogueEntry>,
): Promise<readonly KnownFeature[]> {
  const users = await Promise.all(sources.map((source) => usersOf(source, page)));
  return page.map((feature, position) => {
    const on = new Map<string, FeatureState>();
    for (const [index, { name, editableSet: stored }] of sources.entries()) {
      const state =
        stored && isPersonal(stored)
          ? { users: users[index]?.[position] ?? null }
          : listings.get(name)?.stateOf(feature);
      if (state !== undefined) on.set(name, state);
    }
    const killed = sources.some(({ name, role }) => role === "veto" && isOnForAll(on.get(name)));
    return { feature, on, killed, entry: entries.get(feature) };
  });
}

const isOnForAll = (state: FeatureState | undefined): boolean =>
  state === true || (typeof state === "object" && "rule" in state && state.on);

/** Whether some source knows the feature. A source without sets knows it even if it is off. */
const isSomewhere = ({ on }: KnownFeature, sets: SourceSets): boolean =>
  [...on].some(([name, state]) => {
    if (typeof state === "boolean")
      return state || !sets.sources.some((source) => source.name === name && source.editableSet);
    if ("rule" in state) return true;
    return "users" in state ? state.users !== null && state.users > 0 : state.location.length > 0;
  });

const isFound = (search: string, feature: FeatureKey, entry: CatalogueEntry | undefined): boolean =>
  [feature, entry?.description ?? "", entry?.owner ?? "", ...(entry?.tags ?? [])].some((text) =>
    text.toLowerCase().includes(search),
  );

/**
 * For each feature, the number of users that have it in their own set; `undefined` if not known. Empty if the source
 * has no sets of users.
 */
async function usersOf(
  { name, editableSet: stored }: ManagedSource,
  features: readonly FeatureKey[],
): Promise<readonly (number | undefined)[]> {
  if (!stored || !isPersonal(stored) || features.length === 0) return [];
  return callStore(name, () => stored.index.holders(stored.key.prefix, features));
}

/** The features that a source without sets lists for an empty context. */
async function listingWithoutSets(
  { resolver, timeoutMs, editableRules: rules }: ManagedSource,
  at: Instant,
): Promise<Listing> {
  const [{ features }, stored] = await Promise.all([
    withDeadline(timeoutMs, () => resolver.resolve({ at })),
    rules && withDeadline(timeoutMs, () => rules.rules.read(rules.collection)),
  ]);
  const ruled = [...(stored?.value.keys() ?? [])].filter((name) => rules?.isFeature(name));
  return {
    features: new Set([...features.keys(), ...ruled]),
    stateOf: (feature) => {
      const on = features.get(feature)?.on;
      const rule = stored?.value.get(feature);
      return rule === undefined ? on : { rule, on: on ?? false };
    },
  };
}

async function listingOfSets(stored: EditableSet): Promise<Listing> {
  if (stored.key.fields.length > 0) return atLocations(stored);
  const { features } = (await stored.sets.read(stored.key.text, stored.limit)).value;
  const members = new Set(features);
  return { features: members, stateOf: (feature) => members.has(feature) };
}

async function atLocations({ key, sets, index, limit }: EditableSet): Promise<Listing> {
  const { keys, complete } = await index.keys(key.prefix, maxLocations);
  const locations = new Map<FeatureKey, string[]>();
  const own = keys.filter((each) => key.matches(each)).toSorted();
  for (let start = 0; start < own.length; start += atOnce) {
    const some = own.slice(start, start + atOnce);
    const read = await Promise.all(some.map(async (each) => (await sets.read(each, limit)).value));
    for (const [index, { features }] of read.entries()) {
      const location = key.valuesIn(some[index] ?? "")?.location ?? "";
      for (const feature of features) {
        const found = locations.get(feature);
        if (found) found.push(location);
        else locations.set(feature, [location]);
      }
    }
  }
  return {
    features: locations.keys(),
    stateOf: (feature) => ({ location: locations.get(feature) ?? [], complete }),
  };
}
