import type { Instant } from "./evaluation-context.ts";
import type { InvalidationFeed } from "./invalidation-feed.ts";

/** An answer that is not marked as stale is true for an instant at most this long ago, in milliseconds. */
export const freshnessBoundMs = 1_000;
/** An answer that was true before this time is not fresh any more, in milliseconds. A timer may end somewhat early. */
export const staleAfterMs = freshnessBoundMs + 2;

/** One read of a store that somebody remembers, and what is known of its freshness. */
export interface CachedRead<T> {
  readonly value: T;
  /** Why it could not be read again, where that was tried last and failed. */
  readonly lastError: unknown;
  /** The instant from which the value is not current, whatever is told; `Infinity` where there is none. */
  readonly validUntil: Instant;
  /** Who tells when it stops being current, where that is the only thing, but for `validUntil`, that can make it stop. */
  readonly feed?: InvalidationFeed;
  /** Whether reading again would provably give the same, but for changes within the freshness bound. */
  isCurrent(now: Instant): boolean;
  /** The latest instant for which the value is known to be true. */
  verifiedAt(now: Instant): Instant;
}

/** A read that nobody watches: true for the instant at which it was sent, and never again for sure. */
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
