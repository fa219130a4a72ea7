import { settleWithin } from "../../application/async/deadline.ts";
import { StoreDataInvalid } from "../../domain/errors.ts";
import { type CachedRead, freshnessBoundMs } from "../../domain/evaluation/cached-read.ts";
import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import type { InvalidationFeed } from "../../domain/evaluation/invalidation-feed.ts";
import { type CachedEntry, Entry, type EntryContext, type Read } from "./entry.ts";
import { Segments } from "./segments.ts";

/** Size and time limits of a cache. */
export type CacheLimits = {
  /** Limit for known keys. An eighth as many keys that anyone can make up are cached besides. */
  readonly capacity: number;
  /** Time after which a value is read again without an invalidation, in milliseconds. */
  readonly expiryMs: number;
  /** Time for which a value is served while the store is unavailable, in milliseconds. */
  readonly maxStaleMs: number;
};

type Options<T> = {
  /** Whether anyone can make up such a key, which the store does not have. Such keys evict no others. */
  readonly isArbitrary: (value: T, key: string) => boolean;
  /** Whether two values are equal, so that evaluations made from one are valid for the other. */
  readonly isSame: (a: T, b: T) => boolean;
  readonly invalidations: InvalidationFeed;
  readonly limits: CacheLimits;
  readonly now: () => Instant;
  /** Monotonic clock, in milliseconds. */
  readonly monotonic?: () => number;
  /** Whether the last value is also served while the store contains an invalid value. */
  readonly staleIfInvalid: boolean;
};

/** The last value of a key, and the latest instant at which it was verified. */
export type LastKnown<T> = { readonly key: string; readonly value: T; readonly asOf: Instant };

/** Counters of a cache since its creation, and its size. */
export type CacheUsage = {
  readonly counts: {
    /** Lookups served from a fresh entry. */
    hits: number;
    /** Lookups that read the store. */
    misses: number;
    /** Lookups served with the last value because the read failed. */
    stale: number;
    /** Lookups that failed. */
    failures: number;
    /** Entries evicted for others. */
    evictions: number;
  };
  /** Number of cached keys. */
  readonly size: number;
};

type Flight<T> = {
  readonly order: number;
  readonly epoch: number;
  /** Start of the read, by the monotonic clock. */
  readonly startedAt: number;
  /** Start of the read, by the wall clock. */
  readonly startedAtWall: Instant;
  readonly invalidationsAtStart: number;
  /** Whether the key has changed since the start of the read. */
  dirty: boolean;
  readonly result: Promise<CachedRead<T>>;
};

/**
 * Delay before a cached key is read again after a failed read, and before any cached key is read while the store is
 * unavailable. The failure recheck timer of RFC 8767.
 */
const recheckMs = 250;

/**
 * Limit for a caller's wait for a read, in milliseconds. A store command has a longer one. A later result is still
 * cached.
 */
const maxReadMs = 200;

/**
 * Near cache: caches reads of a store for as long as its invalidation feed proves that they are unchanged.
 *
 * Concurrent reads of a key share one request. If an invalidation arrives during a read, its result is returned but not
 * cached as fresh, and later callers do not share it. If the store is unavailable (or, if configured, contains an
 * invalid value), the last value is served for `maxStaleMs` after it was last verified. A failed read that began before
 * a change does not delay reads after that change.
 */
export class NearCache<T> implements CacheUsage {
  readonly counts = { hits: 0, misses: 0, stale: 0, failures: 0, evictions: 0 };
  readonly #options: Options<T>;
  readonly #entries: Segments<Entry<T>>;
  readonly #flights = new Map<string, Flight<T>>();
  readonly #monotonic: () => number;
  readonly #entryContext: EntryContext;
  #flightCount = 0;
  /** Counts calls of `invalidate`. */
  #invalidations = 0;
  #stored = 0;

  constructor(options: Options<T>) {
    this.#options = options;
    this.#monotonic = options.monotonic ?? (() => performance.now());
    this.#entryContext = {
      invalidations: options.invalidations,
      now: options.now,
      monotonic: this.#monotonic,
      maxStaleMs: options.limits.maxStaleMs,
      outage: undefined,
    };
    this.#entries = new Segments({
      max: options.limits.capacity,
      removed: (entry, _, isEvicted) => {
        entry.retire();
        if (isEvicted) this.counts.evictions += 1;
      },
    });
  }

  get size(): number {
    return this.#entries.size;
  }

  /**
   * Returns the value of a key, from the cache or by `read`. Rejects as `read` does if there is no value that may be
   * served.
   */
  get(key: string, read: () => CachedRead<T> | Promise<CachedRead<T>>): CachedRead<T> | Promise<CachedRead<T>> {
    const now = this.#options.now();
    const entry = this.#entries.get(key);
    if (entry?.isCurrent(now)) {
      this.counts.hits += 1;
      return entry;
    }
    if (entry?.isServedStale()) {
      this.counts.stale += 1;
      return entry;
    }
    return this.#readOrLast(key, read);
  }

  /** One promise for the caller and one for the flight: each further one costs every first call. */
  #readOrLast(key: string, read: () => CachedRead<T> | Promise<CachedRead<T>>): Promise<CachedRead<T>> {
    const flight = this.#read(key, read);
    return new Promise((resolve, reject) => {
      settleWithin(
        maxReadMs,
        flight.result,
        (result) => {
          this.counts.misses += 1;
          resolve(result);
        },
        (error) => {
          const last = this.#lastAfter(error, key, flight);
          last ? resolve(last) : reject(error);
        },
      );
    });
  }

  /** The last value of a key, if it may be served in place of a failed read. */
  #lastAfter(error: unknown, key: string, flight: Flight<T>): Entry<T> | undefined {
    const last = this.#entries.peek(key);
    const isServed = this.#options.staleIfInvalid || !(error instanceof StoreDataInvalid);
    if (!isServed || !last?.mayServe) {
      this.counts.failures += 1;
      return undefined;
    }
    this.counts.stale += 1;
    const recheckAt = flight.dirty ? Number.NEGATIVE_INFINITY : this.#monotonic() + recheckMs;
    last.failure = { fault: error, recheckAt };
    const isOvertaken = flight.invalidationsAtStart !== this.#invalidations;
    if (!isOvertaken && !this.#options.invalidations.isLive(this.#options.now()))
      this.#entryContext.outage = last.failure;
    return last;
  }

  /** Returns the cached entry of a key. Does not read the store and does not count as a use. */
  peek(key: string): CachedEntry<T> | undefined {
    return this.#entries.peek(key);
  }

  /** Invalidates one key, or all keys if `undefined`. */
  invalidate(key: string | undefined): void {
    this.#invalidations += 1;
    this.#entryContext.outage = undefined;
    for (const each of key === undefined ? this.#entries.keys() : [key]) this.#entries.peek(each)?.change();
    for (const each of key === undefined ? [...this.#flights.keys()] : [key]) {
      const flight = this.#flights.get(each);
      if (flight) flight.dirty = true;
      this.#flights.delete(each);
    }
  }

  /** Number of results cached since the start. A change means that the snapshot is outdated. */
  get stored(): number {
    return this.#stored;
  }

  /** Yields the servable value of each key, or `undefined`. The cache may change during iteration. */
  *lastKnown(): Iterable<LastKnown<T> | undefined> {
    for (const key of this.#entries.keys()) {
      const entry = this.#entries.peek(key);
      yield entry?.mayServe ? { key, value: entry.value, asOf: entry.verifiedAt(this.#options.now()) } : undefined;
    }
  }

  /**
   * Restores a value from another process as a stale entry. Returns whether it was accepted: not if it is too old, is
   * from the future (a clock was set), or if the key was already read here.
   */
  restore({ key, value, asOf }: LastKnown<T>): boolean {
    const now = this.#options.now();
    const readAt = this.#monotonic() - Math.max(now - asOf, freshnessBoundMs + 1);
    const entry = new Entry(value, { order: 0, at: readAt, epoch: -1, expiresAt: readAt }, this.#entryContext, readAt);
    if (asOf > now || !entry.mayServe || this.#entries.peek(key)?.order) return false;
    this.#set(key, entry);
    return true;
  }

  /** Returns the pending read of a key, or starts one. */
  #read(key: string, read: () => CachedRead<T> | Promise<CachedRead<T>>): Flight<T> {
    const { epoch } = this.#options.invalidations;
    const pending = this.#flights.get(key);
    if (pending?.epoch === epoch) return pending;
    this.#flightCount += 1;
    const flight: Flight<T> = {
      order: this.#flightCount,
      epoch,
      startedAt: this.#monotonic(),
      startedAtWall: this.#options.now(),
      invalidationsAtStart: this.#invalidations,
      dirty: false,
      result: begun(read).then(
        (result) => {
          this.#end(key, flight);
          return this.#store(key, flight, result);
        },
        (cause) => {
          this.#end(key, flight);
          throw cause;
        },
      ),
    };
    this.#flights.set(key, flight);
    return flight;
  }

  #end(key: string, flight: Flight<T>): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
  }

  #store(key: string, flight: Flight<T>, result: CachedRead<T>): Entry<T> {
    const { invalidations, limits, isSame } = this.#options;
    const { value } = result;
    const { startedAt, startedAtWall } = flight;
    // The result of a replica is as old as its replication.
    const at = startedAt - Math.max(0, startedAtWall - result.verifiedAt(startedAtWall));
    this.#stored += 1;
    this.#entryContext.outage = undefined;
    // Jitter of 20 %, so that keys that were read together do not expire together.
    const expiryMs = Math.min(result.validUntil - startedAtWall, limits.expiryMs * (0.8 + Math.random() * 0.4));
    const read: Read = { order: flight.order, at, epoch: flight.epoch, expiresAt: startedAt + expiryMs };
    const last = this.#entries.peek(key);
    const isLatest = last === undefined || last.order < flight.order;
    if (flight.dirty || flight.epoch !== invalidations.epoch) {
      // The change that made the read dirty may have come right after it, regardless of later verifications.
      const suspect = new Entry(value, read, this.#entryContext, at);
      if (isLatest) this.#set(key, suspect);
      return suspect;
    }
    if (isLatest && last && isSame(last.value, value)) {
      last.renew(read);
      return last;
    }
    const entry = new Entry(value, read, this.#entryContext);
    if (isLatest) this.#set(key, entry);
    return entry;
  }

  #set(key: string, entry: Entry<T>): void {
    this.#entries.set(key, entry, this.#options.isArbitrary(entry.value, key));
  }
}

/** Starts a read, which may return or throw synchronously. */
function begun<T>(read: () => CachedRead<T> | Promise<CachedRead<T>>): Promise<CachedRead<T>> {
  try {
    return Promise.resolve(read());
  } catch (cause) {
    return Promise.reject(cause);
  }
}
