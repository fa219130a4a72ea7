import { type CachedRead, freshnessBoundMs } from "../../domain/evaluation/cached-read.ts";
import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import type { InvalidationFeed } from "../../domain/evaluation/invalidation-feed.ts";

/** Freshness of an evaluation, derived from its reads. */
export class Freshness {
  readonly #from: readonly CachedRead<unknown>[];
  readonly #feeds: readonly InvalidationFeed[];
  readonly #validUntil: Instant;
  /**
   * The sum of the feed generations at which all reads were found current, and the monotonic time until which they are,
   * unless a feed invalidates one.
   */
  #found = -1;
  #foundUntil = Number.NEGATIVE_INFINITY;

  constructor(from: readonly CachedRead<unknown>[], validUntil: Instant) {
    // A copy has no spare capacity.
    this.#from = from.slice();
    this.#feeds = feedsOf(from);
    this.#validUntil = validUntil;
  }

  /** The freshness of a result that depends on further reads too. */
  with(reads: readonly CachedRead<unknown>[]): Freshness {
    return new Freshness([...reads, ...this.#from], this.#validUntil);
  }

  /**
   * Whether another evaluation would provably return the same, except for changes within the freshness bound. Checks
   * each read again only after a notification of a feed, because every request calls this.
   */
  isCurrent(now: Instant): boolean {
    let generation = 0;
    for (const feed of this.#feeds) {
      if (!feed.isLive(now)) return false;
      generation += feed.generation;
    }
    if (now >= this.#validUntil) return false;
    if (generation === this.#found && performance.now() < this.#foundUntil) return true;
    if (!this.#from.every((held) => held.isCurrent(now))) return false;
    this.#found = this.#from.every(({ feed }) => feed) ? generation : -1;
    this.#foundUntil = performance.now() + Math.min(...this.#from.map((held) => held.validUntil)) - now;
    return true;
  }

  /** The latest instant for which all reads are verified. */
  verifiedAt(now: Instant): Instant {
    return Math.min(now, ...this.#from.map((held) => held.verifiedAt(now)));
  }

  /**
   * Whether the result must be marked as stale: it is older than the freshness bound, or a cached value replaced a
   * failed read.
   */
  isStale(now: Instant): boolean {
    return isStale(this.#from, this.verifiedAt(now), now);
  }
}

/** Whether reads that are all verified at `asOf` must be marked as stale. */
export const isStale = (from: readonly CachedRead<unknown>[], asOf: Instant, now: Instant): boolean =>
  now - asOf > freshnessBoundMs || faultOf(from, now) !== undefined;

/** The error because of which a cached value replaced a read, if any. */
export const faultOf = (from: readonly CachedRead<unknown>[], now: Instant): unknown =>
  from.find((held) => held.lastError !== undefined && !held.isCurrent(now))?.lastError;

/** Evaluations of the same stores share one list, to stay in the processor's cache. */
let lastFeeds: readonly InvalidationFeed[] = [];

function feedsOf(from: readonly CachedRead<unknown>[]): readonly InvalidationFeed[] {
  const feeds: InvalidationFeed[] = [];
  for (const { feed } of from) if (feed && !feeds.includes(feed)) feeds.push(feed);
  if (feeds.length !== lastFeeds.length || feeds.some((feed, index) => feed !== lastFeeds[index])) lastFeeds = feeds;
  return lastFeeds;
}
