import type { Instant } from "./evaluation-context.ts";

/**
 * Port: which keys of a store change, or that this is not known any more.
 *
 * Time is cut into epochs. Within one, every change of a watched key is told to the listeners in the
 * order in which it happened; when a change may have been missed, a new epoch begins, and what was read in an earlier
 * one is suspect. What was read while no epoch was under way is suspect from the start.
 */
export interface InvalidationFeed {
  /** Counts the epochs. */
  readonly epoch: number;
  /** Grows with each change that is told and each epoch that begins: while it does not, nothing that was current has changed. */
  readonly generation: number;
  /** Whether all changes up to an instant within the freshness bound have been told, by the monotonic and by the wall clock. */
  isLive(now: Instant): boolean;
  /** Up to when all changes had been told in an epoch, in milliseconds of the monotonic clock; `-Infinity` where that is not known. */
  syncedUntil(epoch: number): number;
  /** Tells of a change that was made here, before the store does; it need not be true. */
  notify(key: string): void;
  /** Calls the listener for each key that changes, and with `undefined` when all keys may have. */
  subscribe(listener: (key: string | undefined) => void): void;
}

/** Port: a feed that knows when other processes know. */
export interface ConfirmingFeed extends InvalidationFeed {
  /**
   * Resolves once every process on the store was told of the changes made so far, or its answers are no longer fresh: when all
   * have confirmed, else after the freshness bound. Never rejects.
   */
  everywhere(): Promise<void>;
}
