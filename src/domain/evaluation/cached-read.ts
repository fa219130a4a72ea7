import type { Instant } from "./evaluation-context.ts";
import type { InvalidationFeed } from "./invalidation-feed.ts";

/** Freshness bound: a result that is not marked as stale was verified at most this long ago, in milliseconds. */
export const freshnessBoundMs = 1_000;
/**
 * Limit of a wait for confirmations, in milliseconds. When it ends, unconfirmed instances mark their responses. 2 ms
 * above the bound, because timers may fire early.
 */
export const confirmationWaitMs = freshnessBoundMs + 2;

/** A cached read of a store, with its freshness. */
export type CachedRead<T> = {
  readonly value: T;
  /** The error of the last attempt to read it again, if that failed. */
  readonly lastError: unknown;
  /**
   * Expiry: the instant from which the value is not current, regardless of invalidations; `Infinity` if there is none.
   */
  readonly validUntil: Instant;
  /** The feed that invalidates the value, if nothing but this feed and `validUntil` can. */
  readonly invalidations?: InvalidationFeed;
  /** Whether a later read has returned this value from the cache. Omitted: not known. */
  readonly isUsed?: boolean;
  /** Whether another read would provably return the same, except for changes within the freshness bound. */
  isCurrent(now: Instant): boolean;
  /** The latest instant for which the value is verified. */
  verifiedAt(now: Instant): Instant;
  /**
   * Whether another read would return this value, although it is not current, without a request to the store: the last
   * one failed, and it is too early for a retry. Omitted: never.
   */
  isServedStale?(): boolean;
};

/** A read without invalidation: verified for the instant at which it was sent, and not current afterwards. */
export const uncachedRead = <T>(
  value: T,
  at: Instant,
  validUntil: Instant = Number.POSITIVE_INFINITY,
): CachedRead<T> => ({
  value,
  lastError: undefined,
  validUntil,
  isCurrent: () => false,
  verifiedAt: () => at,
});
