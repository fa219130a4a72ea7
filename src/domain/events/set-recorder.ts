import type { SetAddress } from "../admin/feature-store.ts";

/**
 * Set recorder: records in the {@link ./outbox.ts} what happened to a set outside Tidegate.
 *
 * The content at the first record of a set, and at the start of an epoch, is recorded as `baseline`, with the members
 * if they are at most {@link maxRecordedMembers}. So each epoch starts with a baseline, except for imported sets
 * ({@link ./batch.ts}). Every 256th record of a set holds its members too. Rejects with `StoreFull`, and as
 * `FeatureSets` does.
 */
export interface SetRecorder {
  /**
   * Records a change that was made to a set outside Tidegate, or a baseline if the set has no record. Returns whether
   * it recorded anything.
   */
  reconcile(set: SetAddress): Promise<boolean>;
  /** Records a baseline in a new epoch, because the earlier records do not lead to the content of the set. */
  rebase(set: SetAddress): Promise<void>;
}
