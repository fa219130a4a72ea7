import { type CachedRead, freshnessBoundMs } from "../../domain/evaluation/cached-read.ts";
import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import type { InvalidationFeed } from "../../domain/evaluation/invalidation-feed.ts";

/** Freshness of an evaluation, derived from its reads. Loops instead of list methods, because every request uses it. */
export class Freshness {
  readonly #reads: readonly CachedRead<unknown>[];
  #invalidations: readonly InvalidationFeed[] | undefined;
  readonly #validUntil: Instant;
  /**
   * The sum of the feed generations at which all reads were found current, and the monotonic time until which they are,
   * unless a feed invalidates one.
   */
  #found = -1;
  #foundUntil = Number.NEGATIVE_INFINITY;

  constructor(reads: readonly CachedRead<unknown>[], validUntil: Instant) {
    // A copy has no spare capacity.
    this.#reads = reads.slice();
    this.#validUntil = validUntil;
  }

  /** The freshness of a result that depends on further reads too. */
  with(reads: readonly CachedRead<unknown>[]): Freshness {
    return new Freshness(reads.concat(this.#reads), this.#validUntil);
  }

  /**
   * Whether another evaluation would provably return the same, except for changes within the freshness bound. Checks
   * each read again only after a notification of a feed.
   */
  isCurrent(now: Instant): boolean {
    let generation = 0;
    // Most results of first calls are never checked.
    this.#invalidations ??= invalidationsOf(this.#reads);
    for (const each of this.#invalidations) {
      if (!each.isLive(now)) return false;
      generation += each.generation;
    }
    if (now >= this.#validUntil) return false;
    if (generation === this.#found && performance.now() < this.#foundUntil) return true;
    let validUntil = Number.POSITIVE_INFINITY;
    let haveInvalidations = true;
    for (const read of this.#reads) {
      if (!read.isCurrent(now)) return false;
      validUntil = Math.min(validUntil, read.validUntil);
      haveInvalidations &&= read.invalidations !== undefined;
    }
    this.#found = haveInvalidations ? generation : -1;
    this.#foundUntil = Math.floor(performance.now() + validUntil - now);
    return true;
  }

  /**
   * Whether the result is worth caching: it may be returned again, and its evaluation needed no read of a store. For a
   * client that calls once, only the reads are cached: they take less memory.
   */
  isCacheable(now: Instant): boolean {
    for (const read of this.#reads) if (read.isUsed === false) return false;
    return this.isRepeatable(now);
  }

  /** Whether another evaluation would return the same result, also because a store is unavailable. */
  isRepeatable(now: Instant): boolean {
    return this.isCurrent(now) || this.servedStaleAt(now) !== undefined;
  }

  /** The latest instant for which all reads are verified. */
  verifiedAt(now: Instant): Instant {
    let verifiedAt = now;
    for (const read of this.#reads) verifiedAt = Math.min(verifiedAt, read.verifiedAt(now));
    return verifiedAt;
  }

  /**
   * The latest instant for which all reads are verified, if another evaluation would return the same result from cached
   * values, because a store is unavailable. Otherwise `undefined`. Only for a result that is not current.
   */
  servedStaleAt(now: Instant): Instant | undefined {
    if (now >= this.#validUntil) return undefined;
    for (const read of this.#reads) if (!read.isCurrent(now) && !read.isServedStale?.()) return undefined;
    return this.verifiedAt(now);
  }

  /**
   * Whether the result must be marked as stale: it is older than the freshness bound, or a cached value replaced a
   * failed read.
   */
  isStale(now: Instant): boolean {
    return isStale(this.#reads, this.verifiedAt(now), now);
  }
}

/** Whether reads that are all verified at `verifiedAt` must be marked as stale. */
export const isStale = (reads: readonly CachedRead<unknown>[], verifiedAt: Instant, now: Instant): boolean =>
  now - verifiedAt > freshnessBoundMs || faultOf(reads, now) !== undefined;

/** The error because of which a cached value replaced a read, if any. */
export function faultOf(reads: readonly CachedRead<unknown>[], now: Instant): unknown {
  for (const read of reads) if (read.lastError !== undefined && !read.isCurrent(now)) return read.lastError;
  return undefined;
}

/** Evaluations of the same stores share one list, to stay in the processor's cache. */
let lastInvalidations: readonly InvalidationFeed[] = [];

function invalidationsOf(reads: readonly CachedRead<unknown>[]): readonly InvalidationFeed[] {
  const all: InvalidationFeed[] = [];
  for (const { invalidations } of reads) if (invalidations && !all.includes(invalidations)) all.push(invalidations);
  if (all.length !== lastInvalidations.length || all.some((each, index) => each !== lastInvalidations[index]))
    lastInvalidations = all;
  return lastInvalidations;
}
