import { type CachedRead, freshnessBoundMs } from "../../domain/evaluation/cached-read.ts";
import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import type { InvalidationFeed } from "../../domain/evaluation/invalidation-feed.ts";

/** The reads that an answer was made from, and what follows for the answer. It holds on to nothing else. */
export class Freshness {
  readonly #from: readonly CachedRead<unknown>[];
  readonly #feeds: readonly InvalidationFeed[];
  readonly #validUntil: Instant;
  /** The generation of the feeds in which all reads were found current, and until when they are unless one of them tells otherwise: monotonic. */
  #found = -1;
  #foundUntil = Number.NEGATIVE_INFINITY;

  constructor(from: readonly CachedRead<unknown>[], validUntil: Instant) {
    // A copy is just as large as it has to be.
    this.#from = from.slice();
    this.#feeds = feedsOf(from);
    this.#validUntil = validUntil;
  }

  /**
   * Whether asking again would provably give the same, but for changes within the freshness bound. It looks at each
   * read only when something was told since it last did, because this is asked at every call.
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

  /** The latest instant for which all of the answer is known to be true. */
  verifiedAt(now: Instant): Instant {
    return Math.min(now, ...this.#from.map((held) => held.verifiedAt(now)));
  }

  /** Whether the answer must be marked as stale: it is older than the freshness bound, or a read failed and a cached value replaced it. */
  isStale(now: Instant): boolean {
    return isStale(this.#from, this.verifiedAt(now), now);
  }
}

/** Whether reads, of which all are known to be true at `asOf`, are marked as stale. */
export const isStale = (from: readonly CachedRead<unknown>[], asOf: Instant, now: Instant): boolean =>
  now - asOf > freshnessBoundMs || faultOf(from, now) !== undefined;

/** Why a cached value had to replace a read, if one had to. */
export const faultOf = (from: readonly CachedRead<unknown>[], now: Instant): unknown =>
  from.find((held) => held.lastError !== undefined && !held.isCurrent(now))?.lastError;

/** One list for all answers that were made from the same stores, so that it stays near the processor. */
let lastFeeds: readonly InvalidationFeed[] = [];

function feedsOf(from: readonly CachedRead<unknown>[]): readonly InvalidationFeed[] {
  const feeds: InvalidationFeed[] = [];
  for (const { feed } of from) if (feed && !feeds.includes(feed)) feeds.push(feed);
  if (feeds.length !== lastFeeds.length || feeds.some((feed, index) => feed !== lastFeeds[index])) lastFeeds = feeds;
  return lastFeeds;
}
