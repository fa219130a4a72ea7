import type { FeatureKey } from "../evaluation/feature.ts";
import type { Batch, BatchResult } from "./batch.ts";
import type { ChangeMeta, Revision } from "./change.ts";

/** The address of a set in a store. */
export type SetAddress = {
  readonly key: string;
  /**
   * Whether it is one of many sets that belong to one user each. Changes made outside Tidegate to such a set are
   * detected by its digest, so no copy of the set is stored. Their record holds the set after the change.
   */
  readonly personal: boolean;
};

/** Change of one set. A feature is in `add` or in `remove`, not in both. */
export type SetChange = ChangeMeta &
  SetAddress & {
    readonly add: readonly FeatureKey[];
    readonly remove: readonly FeatureKey[];
    /** Maximum number of members of the set after the change. Checked only if the set grows. */
    readonly limit?: number;
    /** Whether the change may use the reserved memory of the store. Kills must work while the store is full. */
    readonly urgent?: boolean;
  };

/** Result of a change: the members that were really added and removed. */
export type SetChangeResult = {
  readonly added: readonly FeatureKey[];
  readonly removed: readonly FeatureKey[];
  readonly revision: Revision;
};

/** Features to add to a set by an import. */
export type SetLoad = SetAddress & {
  /** Each feature once. */
  readonly features: readonly FeatureKey[];
  /** Maximum number of members of the set after the import. */
  readonly limit: number;
};

/**
 * Feature store: changes the sets that `FeatureSets` reads.
 *
 * A change and its record in the {@link ./outbox.ts} are one transaction. A change without effect is recorded too. A
 * change that was made outside Tidegate is recorded before it, as `external` ({@link ./set-recorder.ts}).
 *
 * Rejects with `RevisionMismatch`, with `ChangeRejected` if a set would exceed its limit, with `StoreFull`, and as
 * `FeatureSets` does.
 */
export interface FeatureStore {
  apply(change: SetChange): Promise<SetChangeResult>;
  /**
   * Changes all sets of a batch with one record each, then stores the position of the import. Loading a batch again
   * completes one that was interrupted. Skips a set that has all its features already. Does nothing if the import is
   * not at the start of the batch. Rejects with `ChangeRejected`, before the first change, if a set would have too many
   * members, and as `apply` does.
   */
  load(batch: Batch<SetLoad>): Promise<BatchResult>;
  /** The keys of all sets with a prefix, in pages, for an export. A key may come twice. */
  allKeys(prefix: string): AsyncIterable<readonly string[]>;
  /** The revisions of sets, in the order of the keys; `undefined` for a set without a record. */
  revisions(keys: readonly string[]): Promise<readonly (Revision | undefined)[]>;
}

/**
 * Maximum number of members that a record lists. The records of a larger set have only its size and the members
 * added and removed.
 */
export const maxRecordedMembers = 1_000;
