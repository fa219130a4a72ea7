import { type EditableSet, isPersonal } from "../../domain/admin/editable-set.ts";
import { HistoryUnavailable, UnknownFeature } from "../../domain/errors.ts";
import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import { type FeatureKey, inOrder, type Json } from "../../domain/evaluation/feature.ts";
import { withDeadline } from "../evaluation/deadline.ts";
import { callStore } from "./call-store.ts";
import type { Catalogue, CatalogueEntry } from "./catalogue.ts";
import type { KnownSource, SourceSets } from "./source-sets.ts";

/** The most sets of locations that are looked into. */
const mostLocations = 1_000;
const atOnce = 100;

/**
 * Where a feature is on, as one source says: whether for everybody; at which locations (`complete`: whether these are all); or
 * how many users have it of their own, `null` where that is not known; or what is kept of it, and whether that makes it on for
 * nobody in particular.
 */
export type Place =
  | boolean
  | { readonly location: readonly string[]; readonly complete: boolean }
  | { readonly users: number | null }
  | { readonly setting: Json; readonly on: boolean };

/** What is known of a feature. */
export type KnownFeature = {
  readonly feature: FeatureKey;
  /** By source, in YAML order. A source that reads no sets and does not know the feature is left out. */
  readonly on: ReadonlyMap<string, Place>;
  /** Whether a veto switches it off for everybody. */
  readonly killed: boolean;
  readonly entry: CatalogueEntry | undefined;
};

/** What one source knows, but for what users have of their own. */
type Known = {
  readonly features: Iterable<FeatureKey>;
  /** `undefined` where the source has nothing to say of the feature. */
  readonly placeOf: (feature: FeatureKey) => Place | undefined;
};

/** Tells of every feature that is known, and where it is on. */
export class ListFeatures {
  readonly #sets: SourceSets;
  readonly #catalogue: Catalogue;
  readonly #now: () => Instant;
  readonly #past: (at: Instant) => SourceSets;

  /** `past` makes the sets as they were at a moment. */
  constructor(sets: SourceSets, catalogue: Catalogue, now: () => Instant, past: (at: Instant) => SourceSets) {
    this.#sets = sets;
    this.#catalogue = catalogue;
    this.#now = now;
    this.#past = past;
  }

  /**
   * The features that stand in a set which is not a user's, that a source without sets knows, or that are described, sorted
   * by code point: those in which `search` stands somewhere, in whatever case, after a feature, at most `limit`; `more` says
   * whether there are others behind them. `at` asks about another moment: of a past one, sources are those of then; what features
   * are described as is always that of now. Rejects with `SourceUnavailable`, and for a past moment with `NotKnown` and `LogUnavailable`.
   */
  async list(
    limit: number,
    search = "",
    after?: FeatureKey,
    at?: Instant,
  ): Promise<{ readonly features: readonly KnownFeature[]; readonly more: boolean }> {
    const now = this.#now();
    const sets = at !== undefined && at < now ? this.#past(at) : this.#sets;
    const { known, entries } = await this.#gather(sets, at ?? now);
    const all = new Set([...entries.keys(), ...[...known.values()].flatMap(({ features }) => [...features])]);
    const wanted = [...all].filter((feature) => isFound(search.toLowerCase(), feature, entries.get(feature)));
    const sorted = inOrder(new Set(after === undefined ? wanted : [...wanted, after]));
    const start = after === undefined ? 0 : sorted.indexOf(after) + 1;
    const page = sorted.slice(start, start + limit);
    return { features: await viewsOf(page, sets, known, entries), more: start + limit < sorted.length };
  }

  /** One feature. Rejects with `UnknownFeature` where nobody knows it, and as `execute` does. */
  async get(feature: FeatureKey): Promise<KnownFeature> {
    const { known, entries } = await this.#gather(this.#sets, this.#now());
    const [view] = await viewsOf([feature], this.#sets, known, entries);
    if (!view || !(view.entry || isSomewhere(view, this.#sets))) throw new UnknownFeature();
    return view;
  }

  /** How many users have a feature of their own; `null` where that is not known, as where there are several such sources. */
  async userCount(feature: FeatureKey): Promise<number | null> {
    const [first, ...others] = this.#sets.sources.filter(({ stored }) => stored && isPersonal(stored));
    if (others.length > 0) return null;
    if (!first) return 0;
    return (await usersOf(first, [feature]))[0] ?? null;
  }

  async #gather({ sources }: SourceSets, at: Instant) {
    const shared = sources.filter(({ stored }) => !stored || !isPersonal(stored));
    const [entries, ...known] = await Promise.all([
      this.#catalogue.all(),
      ...shared.map(async (source) => [source.name, await ask(source, at)] as const),
    ]);
    return { entries, known: new Map(known) };
  }
}

async function ask(source: KnownSource, at: Instant): Promise<Known> {
  const { stored } = source;
  try {
    return await callStore(source.name, () => (stored ? inSets(stored) : ofAnybody(source, at)));
  } catch (error) {
    if (!stored && source.onFailure === "skip" && !(error instanceof HistoryUnavailable)) {
      return { features: [], placeOf: () => undefined };
    }
    throw error;
  }
}

async function viewsOf(
  page: readonly FeatureKey[],
  { sources }: SourceSets,
  known: ReadonlyMap<string, Known>,
  entries: ReadonlyMap<FeatureKey, CatalogueEntry>,
): Promise<readonly KnownFeature[]> {
  const users = await Promise.all(sources.map((source) => usersOf(source, page)));
  return page.map((feature, place) => {
    const on = new Map<string, Place>();
    for (const [index, { name, stored }] of sources.entries()) {
      const says =
        stored && isPersonal(stored) ? { users: users[index]?.[place] ?? null } : known.get(name)?.placeOf(feature);
      if (says !== undefined) on.set(name, says);
    }
    const killed = sources.some(({ name, role }) => role === "veto" && isForEverybody(on.get(name)));
    return { feature, on, killed, entry: entries.get(feature) };
  });
}

const isForEverybody = (place: Place | undefined): boolean =>
  place === true || (typeof place === "object" && "setting" in place && place.on);

/** Whether some source knows the feature: one that reads no sets also where it says that it is off. */
const isSomewhere = ({ on }: KnownFeature, sets: SourceSets): boolean =>
  [...on].some(([name, place]) => {
    if (typeof place === "boolean")
      return place || !sets.sources.some((source) => source.name === name && source.stored);
    if ("setting" in place) return true;
    return "users" in place ? place.users !== null && place.users > 0 : place.location.length > 0;
  });

const isFound = (search: string, feature: FeatureKey, entry: CatalogueEntry | undefined): boolean =>
  [feature, entry?.description ?? "", entry?.owner ?? "", ...(entry?.tags ?? [])].some((text) =>
    text.toLowerCase().includes(search),
  );

/** How many users have each feature of their own; `undefined` where that is not known. None where no set of the source is a user's. */
async function usersOf(
  { name, stored }: KnownSource,
  features: readonly FeatureKey[],
): Promise<readonly (number | undefined)[]> {
  if (!stored || !isPersonal(stored) || features.length === 0) return [];
  return callStore(name, () => stored.changes.holders(stored.key.prefix, features));
}

/** What a source says that reads no sets, for nobody in particular. */
async function ofAnybody({ resolver, timeoutMs }: KnownSource, at: Instant): Promise<Known> {
  const { editableRules: settings } = resolver;
  const [{ features }, kept] = await Promise.all([
    withDeadline(timeoutMs, () => resolver.resolve({ at })),
    settings && withDeadline(timeoutMs, () => settings.rules.read(settings.collection)),
  ]);
  return {
    features: new Set([...features.keys(), ...(kept?.value.keys() ?? [])]),
    placeOf: (feature) => {
      const on = features.get(feature)?.on;
      const setting = kept?.value.get(feature);
      return setting === undefined ? on : { setting, on: on ?? false };
    },
  };
}

async function inSets(stored: EditableSet): Promise<Known> {
  if (stored.key.fields.length > 0) return atLocations(stored);
  const { features } = (await stored.sets.read(stored.key.text, stored.limit)).value;
  const members = new Set(features);
  return { features: members, placeOf: (feature) => members.has(feature) };
}

async function atLocations({ key, sets, changes, limit }: EditableSet): Promise<Known> {
  const { keys, complete } = await changes.keys(key.prefix, mostLocations);
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
    placeOf: (feature) => ({ location: locations.get(feature) ?? [], complete }),
  };
}
