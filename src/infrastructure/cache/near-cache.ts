import { LRUCache } from "lru-cache";
import { withDeadline } from "../../application/evaluation/deadline.ts";
import { StoreDataInvalid } from "../../domain/errors.ts";
import { type CachedRead, freshnessBoundMs } from "../../domain/evaluation/cached-read.ts";
import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import type { InvalidationFeed } from "../../domain/evaluation/invalidation-feed.ts";
import { type CachedEntry, Entry, type EntryContext, type Failure, type Read } from "./entry.ts";

/** What a cache may keep, and for how long. */
export type CacheLimits = {
  /** The most keys that are remembered; and, besides, the most that are remembered to hold nothing. */
  readonly capacity: number;
  /** After how long a value is read again, although nobody said that it changed; in milliseconds. */
  readonly expiryMs: number;
  /** For how long a value is served while the store cannot be read; in milliseconds. */
  readonly maxStaleMs: number;
};

type Options<T> = {
  /** Whether a value says that the key holds nothing. Such keys have a bound of their own, so that they push out no others. */
  readonly isAbsent: (value: T) => boolean;
  /** Whether two values are the same, so that what was made from the one is as good for the other. */
  readonly isSame: (a: T, b: T) => boolean;
  readonly feed: InvalidationFeed;
  readonly limits: CacheLimits;
  readonly now: () => Instant;
  /** A clock that is never set, in milliseconds. */
  readonly monotonic?: () => number;
  /** Whether the last value is served also while the store holds what cannot be one. */
  readonly outlivesInvalidData: boolean;
};

/** What was known of a key, and the latest instant for which it was known to be true. */
export type LastKnown<T> = { readonly key: string; readonly value: T; readonly asOf: Instant };

/** What a cache did since it was made, and what it holds. */
export type CacheUsage = {
  readonly counts: {
    /** Asked for, and known to be current. */
    hits: number;
    /** Asked for, and read. */
    misses: number;
    /** Asked for, and answered with the last value that was known, because it could not be read. */
    stale: number;
    /** Asked for, and not answered. */
    failures: number;
    /** Pushed out for others. */
    evictions: number;
  };
  /** How many keys are remembered. */
  readonly size: number;
};

type Flight<T> = {
  readonly order: number;
  readonly epoch: number;
  /** When it began, by the monotonic and by the wall clock. */
  readonly at: number;
  readonly sentAt: Instant;
  /** `#invalidations` when it began. */
  readonly began: number;
  /** Whether the key has changed since it began. */
  dirty: boolean;
  answer: Promise<CachedRead<T>>;
};

/**
 * How long a key that could not be read is not read again, where it is remembered; and nothing that is remembered, where
 * the store is away. RFC 8767 calls it the failure recheck timer.
 */
const recheckMs = 250;

/**
 * How long somebody waits for a read. A store gives up a command itself after that, but not before it was sent: behind one that hangs
 * it may have waited as long. What arrives later is kept for others.
 */
const longestReadMs = 200;

/**
 * Remembers what was read of a store, for as long as its change feed proves that it has not changed.
 *
 * A key is read once for all who ask at the same time. A change that is told while a read is under way
 * makes the read's answer one that is given, but not kept as current; nobody joins such a read any more.
 * When the store cannot be read (or, if so configured, holds what cannot be a value), the last value is served for `maxStaleMs` after it was last known to be true.
 * A failed read that began before a change delays no read after that change.
 */
export class NearCache<T> implements CacheUsage {
  readonly counts = { hits: 0, misses: 0, stale: 0, failures: 0, evictions: 0 };
  readonly #options: Options<T>;
  readonly #present: LRUCache<string, Entry<T>>;
  readonly #absent: LRUCache<string, Entry<T>>;
  /** The keys of both; unlike those, they may change while they are walked. */
  readonly #keys = new Set<string>();
  readonly #flights = new Map<string, Flight<T>>();
  readonly #monotonic: () => number;
  readonly #entryContext: EntryContext;
  /** That a key could not be read while the feed was lost too: then none can. */
  #outage: Failure | undefined;
  #flightCount = 0;
  /** Counts calls of `forget`. */
  #invalidations = 0;
  #kept = 0;

  constructor(options: Options<T>) {
    this.#options = options;
    this.#monotonic = options.monotonic ?? (() => performance.now());
    this.#entryContext = { feed: options.feed, now: options.now, monotonic: this.#monotonic };
    // Who still holds an entry that was pushed out or replaced must not take it for current: it is told of no change.
    const dispose = (entry: Entry<T>, key: string, reason: LRUCache.DisposeReason) => {
      entry.invalidate();
      if (reason !== "set") this.#keys.delete(key);
      if (reason === "evict") this.counts.evictions += 1;
    };
    const settings = { max: options.limits.capacity, dispose };
    this.#present = new LRUCache(settings);
    this.#absent = new LRUCache(settings);
  }

  /** What the key holds; `read` is called where that is not known. Rejects as that does, where nothing may be served instead. */
  get(key: string, read: () => Promise<CachedRead<T>>): CachedRead<T> | Promise<CachedRead<T>> {
    const now = this.#options.now();
    const entry = this.#entry(key);
    if (entry?.isCurrent(now)) {
      this.counts.hits += 1;
      return entry;
    }
    if (this.#mayServe(entry) && this.#isFailing(entry)) {
      this.counts.stale += 1;
      return entry;
    }
    return this.#readOrLast(key, read);
  }

  /** Whether it is too early to read again: this key, or, where the store is away, any. */
  #isFailing(entry: Entry<T>): boolean {
    const now = this.#monotonic();
    if (this.#outage && now < this.#outage.recheckAt) entry.failure = this.#outage;
    return entry.failure !== undefined && now < entry.failure.recheckAt;
  }

  async #readOrLast(key: string, read: () => Promise<CachedRead<T>>): Promise<CachedRead<T>> {
    const flight = this.#read(key, read);
    try {
      const held = await withDeadline(longestReadMs, () => flight.answer);
      this.counts.misses += 1;
      return held;
    } catch (error) {
      const last = this.#entry(key);
      const isServed = this.#options.outlivesInvalidData || !(error instanceof StoreDataInvalid);
      if (!isServed || !this.#mayServe(last)) {
        this.counts.failures += 1;
        throw error;
      }
      this.counts.stale += 1;
      const recheckAt = flight.dirty ? Number.NEGATIVE_INFINITY : this.#monotonic() + recheckMs;
      last.failure = { fault: error, recheckAt };
      const isOvertaken = flight.began !== this.#invalidations;
      if (!isOvertaken && !this.#options.feed.isLive(this.#options.now())) this.#outage = last.failure;
      return last;
    }
  }

  get size(): number {
    return this.#present.size + this.#absent.size;
  }

  /** What is remembered of a key, without reading it, and without the key being taken for one in use. */
  peek(key: string): CachedEntry<T> | undefined {
    return this.#present.peek(key) ?? this.#absent.peek(key);
  }

  /** A key has changed; `undefined`: all may have. */
  forget(key: string | undefined): void {
    this.#invalidations += 1;
    this.#outage = undefined;
    for (const each of key === undefined ? this.#keys : [key]) this.#entry(each)?.change();
    for (const each of key === undefined ? [...this.#flights.keys()] : [key]) {
      const flight = this.#flights.get(each);
      if (flight) flight.dirty = true;
      this.#flights.delete(each);
    }
  }

  /** How many reads were kept since the start: what tells whether there is something to remember that was not there before. */
  get kept(): number {
    return this.#kept;
  }

  /** What may be served of each key in turn, `undefined` where nothing may. The cache may change between any two. */
  *lastKnown(): Iterable<LastKnown<T> | undefined> {
    for (const key of this.#keys) {
      const entry = this.#present.peek(key) ?? this.#absent.peek(key);
      yield this.#mayServe(entry)
        ? { key, value: entry.value, asOf: entry.verifiedAt(this.#options.now()) }
        : undefined;
    }
  }

  /**
   * Takes a value back that was known in another process: it is stale from the start. Answers whether it was taken; what is
   * too old is not, nor what is from the future (then a clock was set), nor what has been read here.
   */
  restore({ key, value, asOf }: LastKnown<T>): boolean {
    const now = this.#options.now();
    const readAt = this.#monotonic() - Math.max(now - asOf, freshnessBoundMs + 1);
    const entry = new Entry(value, { order: 0, at: readAt, epoch: -1, expiresAt: readAt }, this.#entryContext, readAt);
    if (asOf > now || !this.#mayServe(entry) || this.#entry(key)?.order) return false;
    this.#set(key, entry);
    return true;
  }

  #entry(key: string): Entry<T> | undefined {
    return this.#present.get(key) ?? this.#absent.get(key);
  }

  #mayServe(entry: Entry<T> | undefined): entry is Entry<T> {
    return entry !== undefined && entry.ageMs <= this.#options.limits.maxStaleMs;
  }

  /** The read of a key that is under way, or a new one. */
  #read(key: string, read: () => Promise<CachedRead<T>>): Flight<T> {
    const { epoch } = this.#options.feed;
    const underWay = this.#flights.get(key);
    if (underWay?.epoch === epoch) return underWay;
    this.#flightCount += 1;
    const flight: Flight<T> = {
      order: this.#flightCount,
      epoch,
      at: this.#monotonic(),
      sentAt: this.#options.now(),
      began: this.#invalidations,
      dirty: false,
      answer: Promise.reject(),
    };
    flight.answer.catch(() => {});
    flight.answer = read()
      .then((held) => this.#keep(key, flight, held))
      .finally(() => {
        if (this.#flights.get(key) === flight) this.#flights.delete(key);
      });
    this.#flights.set(key, flight);
    return flight;
  }

  #keep(key: string, flight: Flight<T>, held: CachedRead<T>): Entry<T> {
    const { feed, limits, isSame } = this.#options;
    const { value } = held;
    // A replica answers with what was true earlier.
    const at = flight.at - Math.max(0, flight.sentAt - held.verifiedAt(flight.sentAt));
    this.#kept += 1;
    this.#outage = undefined;
    // A fifth of jitter, so that what was read together is not read again together.
    const expiryMs = Math.min(held.validUntil - flight.sentAt, limits.expiryMs * (0.8 + Math.random() * 0.4));
    const read: Read = { order: flight.order, at, epoch: flight.epoch, expiresAt: flight.at + expiryMs };
    const last = this.#entry(key);
    const isLatest = last === undefined || last.order < flight.order;
    if (flight.dirty || flight.epoch !== feed.epoch) {
      // The change that made the flight dirty may have come right after the read, whatever was proven since.
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
    const [to, from] = this.#options.isAbsent(entry.value)
      ? [this.#absent, this.#present]
      : [this.#present, this.#absent];
    from.delete(key);
    to.set(key, entry);
    this.#keys.add(key);
  }
}
