import { type EditableSet, isPersonal } from "../../domain/admin/editable-set.ts";
import type { ManagedSource } from "../../domain/admin/managed-source.ts";
import { EventLogUnavailable, HistoryUnavailable } from "../../domain/errors.ts";
import type { CachedRead } from "../../domain/evaluation/cached-read.ts";
import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import type { FeatureKey, Json } from "../../domain/evaluation/feature.ts";
import type { Resolution } from "../../domain/evaluation/source-result.ts";
import { absent, nobody, type Reach, reachOf, unknown } from "../../domain/features/reach.ts";
import { callStore } from "../admin/call-store.ts";
import { withDeadline } from "../async/deadline.ts";
import { evaluateAlone } from "../evaluation/evaluate-alone.ts";
import { faultOf } from "../evaluation/freshness.ts";
import { evaluatedStatus, failedStatus, type SourceStatus } from "./source-status.ts";

/** Maximum number of location sets that are read one by one. */
const maxLocations = 1_000;
const atOnce = 100;

/**
 * Where one source has a feature on: for everyone or not; at which locations (`complete`: these are all); for how many
 * users, `null` if not known; or its rule, with the result for an empty context.
 */
export type Presence =
  | boolean
  | { readonly location: readonly string[]; readonly complete: boolean }
  | { readonly users: number | null }
  | { readonly rule: Json; readonly on: boolean };

/** All features of one source, regardless of the context. */
export type SourceListing = {
  readonly source: ManagedSource;
  readonly status: SourceStatus;
  /** The values behind the listing, and the instant from which it is outdated. Equal values give an equal listing. */
  readonly basis: readonly unknown[];
  readonly validUntil: Instant;
  /** The cause of its failure. */
  readonly failure?: unknown;
  /** The features that it lists. Those of users are missing if the store cannot read all sets. */
  readonly features: readonly FeatureKey[];
  /** Whether it has sets of users that were not read, because there are too many. */
  readonly isUncounted?: true;
  readonly reachOf: (feature: FeatureKey) => Reach;
  /** `undefined` if the source does not list the feature. */
  readonly presenceOf: (feature: FeatureKey) => Presence | undefined;
};

type ListedFeatures = Omit<SourceListing, "source" | "status"> & {
  readonly reads: readonly CachedRead<unknown>[];
  readonly fault?: unknown;
};

/**
 * Lists a source at a time: reads the features that it has on for any caller, from the cache if it is fresh. A
 * failure of the source is part of the result. Rejects with `HistoryUnavailable` and `EventLogUnavailable` only.
 */
export async function sourceListing(source: ManagedSource, at: Instant): Promise<SourceListing> {
  try {
    const { reads, fault = faultOf(reads, at), ...listed } = await listedIn(source, at);
    return { source, status: evaluatedStatus(reads, fault, at), ...listed };
  } catch (failure) {
    if (failure instanceof HistoryUnavailable || failure instanceof EventLogUnavailable) throw failure;
    const status = failedStatus(source, failure);
    const reach = status.state === "skipped" ? absent : unknown;
    const nothing = { features: [], reachOf: () => reach, presenceOf: () => undefined };
    return { source, status, failure, basis: [failure], validUntil: Number.POSITIVE_INFINITY, ...nothing };
  }
}

/** The listings of all sources, with user counts of some features if the store can count. Rejects as `sourceListing`. */
export const sourceListings = (
  sources: readonly ManagedSource[],
  features: readonly FeatureKey[],
  at: Instant,
): Promise<readonly SourceListing[]> =>
  Promise.all(sources.map(async (source) => withCounts(await sourceListing(source, at), features)));

/** The reach of a feature in each source. */
export const placementsOf = (
  feature: FeatureKey,
  listings: readonly SourceListing[],
): readonly { readonly source: ManagedSource; readonly reach: Reach }[] =>
  listings.map(({ source, reachOf }) => ({ source, reach: reachOf(feature) }));

/** Whether each set of the source belongs to one user. */
export const hasUsers = ({ editableSet: stored }: ManagedSource): boolean => stored !== undefined && isPersonal(stored);

function listedIn(source: ManagedSource, at: Instant): Promise<ListedFeatures> {
  const { editableSet: stored } = source;
  if (!stored || stored.key.fields.length === 0) return withoutFields(source, at);
  return isPersonal(stored) ? ofUsers(stored) : atLocations(stored);
}

/** The features that a source lists for an empty context, and those that have a rule. */
async function withoutFields(source: ManagedSource, at: Instant): Promise<ListedFeatures> {
  const { editableRules: rules, editableSet: stored, timeoutMs, resolver } = source;
  const [{ features, dependencies: reads = [], validUntil }, read] = await Promise.all([
    evaluateAlone(source, { at }),
    rules && withDeadline(timeoutMs, () => rules.rules.read(rules.collection)),
  ]);
  const reaches = reachesOf(features, resolver.varyBy?.length === 0);
  return {
    reads,
    // A source that states `validUntil` makes another map from equal reads, so the reads identify its result.
    basis: [...(validUntil === undefined ? [features] : reads.map(({ value }) => value)), read?.value],
    validUntil: validUntil ?? Number.POSITIVE_INFINITY,
    features: [...features.keys(), ...(read?.value.keys().filter((name) => rules?.isFeature(name)) ?? [])],
    reachOf: (feature) => reaches.get(feature) ?? (read?.value.has(feature) ? nobody : absent),
    presenceOf: (feature) => {
      const on = features.get(feature)?.on;
      const rule = read?.value.get(feature);
      return rule === undefined ? (stored ? (on ?? false) : on) : { rule, on: on ?? false };
    },
  };
}

type Reaches = ReadonlyMap<FeatureKey, Reach>;
const knownReaches = new WeakMap<ReadonlyMap<FeatureKey, Resolution>, Reaches>();

/** Caches the result, because sources return the same map while nothing changes. */
function reachesOf(features: ReadonlyMap<FeatureKey, Resolution>, isFixed: boolean): Reaches {
  const known = knownReaches.get(features);
  if (known) return known;
  const reaches = new Map<FeatureKey, Reach>();
  for (const [feature, resolution] of features) reaches.set(feature, reachOf(resolution, isFixed));
  knownReaches.set(features, reaches);
  return reaches;
}

/** The users of each feature: their number, or `undefined` if the store cannot read all sets. */
async function ofUsers({ key, index }: EditableSet): Promise<ListedFeatures> {
  const contents = await index.contents(key.prefix);
  if (!contents) {
    return {
      reads: [],
      basis: [],
      validUntil: Number.POSITIVE_INFINITY,
      features: [],
      isUncounted: true,
      reachOf: () => reachOfUsers(null),
      presenceOf: () => ({ users: null }),
    };
  }
  const holders = holdersIn(contents.sets);
  const numberOf = (feature: FeatureKey) => holders.get(feature)?.length ?? 0;
  return {
    reads: [],
    basis: [contents.sets],
    validUntil: Number.POSITIVE_INFINITY,
    fault: contents.fault,
    features: [...holders.keys()],
    reachOf: (feature) => reachOfUsers(numberOf(feature)),
    presenceOf: (feature) => ({ users: numberOf(feature) }),
  };
}

async function atLocations(stored: EditableSet): Promise<ListedFeatures> {
  const { key, index } = stored;
  const contents = await index.contents(key.prefix);
  const { sets, complete, reads } = contents
    ? { sets: contents.sets, complete: true, reads: [] }
    : await oneByOne(stored);
  const holders = holdersIn(sets);
  const locations = (feature: FeatureKey) => {
    const keys = (holders.get(feature) ?? []).filter((each) => key.matches(each));
    return keys.toSorted().map((each) => key.valuesIn(each)?.location ?? "");
  };
  return {
    reads,
    basis: [sets],
    validUntil: Number.POSITIVE_INFINITY,
    fault: contents?.fault,
    features: [...holders.keys()],
    reachOf: (feature) => (holders.has(feature) ? { kind: "some", locations: locations(feature) } : absent),
    presenceOf: (feature) => ({ location: locations(feature), complete }),
  };
}

async function oneByOne({ key, index, sets, limit }: EditableSet) {
  const { keys, complete } = await index.keys(key.prefix, maxLocations);
  const own = keys.filter((each) => key.matches(each)).toSorted();
  const reads: CachedRead<unknown>[] = [];
  const contents = new Map<string, readonly FeatureKey[]>();
  for (let start = 0; start < own.length; start += atOnce) {
    const some = own.slice(start, start + atOnce);
    const read = await Promise.all(some.map(async (each) => sets.read(each, limit)));
    for (const [position, each] of some.entries()) contents.set(each, read[position]?.value.features ?? []);
    reads.push(...read);
  }
  return { sets: contents, complete, reads };
}

type Holders = ReadonlyMap<FeatureKey, readonly string[]>;
const knownHolders = new WeakMap<ReadonlyMap<string, readonly FeatureKey[]>, Holders>();

/** The keys of the sets that have each feature. Caches the result for the same sets. */
export function holdersIn(sets: ReadonlyMap<string, readonly FeatureKey[]>): Holders {
  const known = knownHolders.get(sets);
  if (known) return known;
  const holders = new Map<FeatureKey, string[]>();
  for (const [key, features] of sets) {
    for (const feature of features) {
      const keys = holders.get(feature);
      if (keys) keys.push(key);
      else holders.set(feature, [key]);
    }
  }
  knownHolders.set(sets, holders);
  return holders;
}

/** A listing with the numbers of some features' users, if its sets were not all read but can be counted. */
async function withCounts(listing: SourceListing, features: readonly FeatureKey[]): Promise<SourceListing> {
  if (!listing.isUncounted) return listing;
  const counts = await usersOf(listing.source, features).catch(() => []);
  const counted = new Map(features.map((feature, index) => [feature, counts[index]]));
  const { isUncounted: _, ...others } = listing;
  return {
    ...others,
    reachOf: (feature) => reachOfUsers(counted.get(feature) ?? null),
    presenceOf: (feature) => ({ users: counted.get(feature) ?? null }),
  };
}

const reachOfUsers = (users: number | null): Reach => (users === 0 ? absent : { kind: "some", users });

/** For each feature, the number of users that have it in their own set; `undefined` if counting would take long. */
export async function usersOf(
  { name, editableSet: stored }: ManagedSource,
  features: readonly FeatureKey[],
): Promise<readonly (number | undefined)[]> {
  return stored ? callStore(name, () => stored.index.holders(stored.key.prefix, features)) : [];
}
