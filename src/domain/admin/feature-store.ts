import type { FeatureKey } from "../evaluation/feature.ts";
import type { Batch, BatchResult } from "./batch.ts";
import type { ChangeMeta, Revision } from "./change.ts";

/** Which set of a store. */
export type SetAddress = {
  readonly key: string;
  /**
   * Whether it is one of many that belong to a user each. What is done to such a set behind our back is noticed by its
   * digest, so that no copy of each is needed; the record then holds the set after.
   */
  readonly personal: boolean;
};

/** What somebody wants done to one set. A feature stands in `add` or `remove`, not in both. */
export type SetChange = ChangeMeta &
  SetAddress & {
    readonly add: readonly FeatureKey[];
    readonly remove: readonly FeatureKey[];
    /** The most members that the set may have afterwards, where it grows. */
    readonly limit?: number;
    /** Whether it may use the last memory of the store: what switches off must work when it is full. */
    readonly urgent?: boolean;
  };

/** What a change really did: the members that were not there before, and those that were. */
export type SetChangeResult = {
  readonly added: readonly FeatureKey[];
  readonly removed: readonly FeatureKey[];
  readonly revision: Revision;
};

/** Features that a set is to have, beside what it has. */
export type SetLoad = SetAddress & {
  /** Each once. */
  readonly features: readonly FeatureKey[];
  /** The most members that the set may have then. */
  readonly limit: number;
};

/**
 * Port: changes the sets that `FeatureSets` reads.
 *
 * A change and its record in the store's {@link ./outbox.ts} are one: both are made or neither. One that changes
 * nothing is recorded too. What was done to the set behind our back, where others can change it, is recorded before it, as `external`;
 * what it held when it was first met, or when an epoch begins, as `baseline`, with its members where those are at most
 * {@link mostMembersRecorded}. So each epoch begins with a baseline, but for those of sets that were loaded ({@link ./batch.ts}).
 * Every 256th record of a set holds its members too.
 *
 * Rejects with `RevisionMismatch`, `ChangeRefused` where a set would grow beyond its limit, and `StoreFull`; and as `FeatureSets` does.
 */
export interface FeatureStore {
  apply(change: SetChange): Promise<SetChangeResult>;
  /**
   * Changes all sets of a batch, or none where one cannot be, with a record each, and remembers how far the load has come. A
   * set that has all its features already is left alone. Does nothing where the load is elsewhere than at the batch's beginning. Rejects
   * with `ChangeRefused` where a set would have too many members, and as `apply` does.
   */
  load(batch: Batch<SetLoad>): Promise<BatchResult>;
  /** Records what was done behind our back to a set, or a baseline where nothing was recorded yet; answers whether it recorded anything. */
  reconcile(set: SetAddress): Promise<boolean>;
  /** Records a baseline in a new epoch: what was recorded of the set before is not what became of it. */
  rebase(set: SetAddress): Promise<void>;
  /** The revisions of sets, in their order; `undefined` for one of which nothing was recorded. */
  revisions(keys: readonly string[]): Promise<readonly (Revision | undefined)[]>;
  /** The keys of sets that begin with a prefix, at most `most`; `complete` says whether these are all. */
  keys(prefix: string, most: number): Promise<{ readonly keys: readonly string[]; readonly complete: boolean }>;
  /** The keys of all sets that begin with a prefix, in pages; one may come twice. */
  allKeys(prefix: string): AsyncIterable<readonly string[]>;
  /** How many sets whose keys begin with a prefix have each of some features, in their order; `undefined` where finding out would take long. */
  holders(prefix: string, features: readonly FeatureKey[]): Promise<readonly (number | undefined)[]>;
}

/** A set with more members is recorded by its size and what was added and removed, and no more. */
export const mostMembersRecorded = 1_000;
