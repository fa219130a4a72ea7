import { LRUCache } from "lru-cache";
import type { ChangeFeed } from "../../domain/change-feed.ts";
import { StoreDataInvalid } from "../../domain/errors.ts";
import type { Instant } from "../../domain/evaluation-context.ts";
import type { Held } from "../../domain/held.ts";

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
  readonly feed: ChangeFeed;
  readonly limits: CacheLimits;
  readonly now: () => Instant;
};

type Flight<T> = { readonly epoch: number; readonly at: Instant; dirty: boolean; answer: Promise<Held<T>> };

/** How long a store that failed is not asked again for what is remembered. RFC 8767 calls it the failure recheck timer. */
const recheckMs = 250;

/**
 * Remembers what was read of a store, for as long as its change feed proves that it has not changed.
 *
 * A key is read once for all who ask at the same time. A change that is told while a read is under way
 * makes the read's answer one that is given, but not kept as current; nobody joins such a read any more.
 * When the store cannot be read, the last value is served for `maxStaleMs` after it was last known to be true.
 */
export class NearCache<T> {
  readonly #options: Options<T>;
  readonly #present: LRUCache<string, Entry<T>>;
  readonly #absent: LRUCache<string, Entry<T>>;
  readonly #flights = new Map<string, Flight<T>>();
  #recheckAt = Number.NEGATIVE_INFINITY;

  constructor(options: Options<T>) {
    this.#options = options;
    // Who still holds an entry that was pushed out or replaced must not take it for current: it is told of no change.
    const settings = { max: options.limits.capacity, dispose: (entry: Entry<T>) => entry.invalidate() };
    this.#present = new LRUCache(settings);
    this.#absent = new LRUCache(settings);
  }

  /** What the key holds; `read` is called where that is not known. Rejects as it does, where nothing may be served instead. */
  async get(key: string, read: () => Promise<Held<T>>): Promise<Held<T>> {
    const now = this.#options.now();
    const entry = this.#entry(key);
    if (entry?.isCurrent(now)) return entry;
    if (now < this.#recheckAt && this.#mayServe(entry, now)) return entry;
    try {
      return await this.#read(key, read, now);
    } catch (error) {
      if (!(error instanceof StoreDataInvalid)) this.#recheckAt = this.#options.now() + recheckMs;
      const last = this.#entry(key);
      if (!this.#mayServe(last, this.#options.now())) throw error;
      last.fault = error;
      return last;
    }
  }

  /** A key has changed; `undefined`: all may have. */
  forget(key: string | undefined): void {
    const keys = key === undefined ? [...this.#present.keys(), ...this.#absent.keys()] : [key];
    for (const each of keys) this.#entry(each)?.invalidate();
    for (const each of key === undefined ? [...this.#flights.keys()] : [key]) {
      const flight = this.#flights.get(each);
      if (flight) flight.dirty = true;
      this.#flights.delete(each);
    }
  }

  #entry(key: string): Entry<T> | undefined {
    return this.#present.get(key) ?? this.#absent.get(key);
  }

  #mayServe(entry: Entry<T> | undefined, now: Instant): entry is Entry<T> {
    return entry !== undefined && now - entry.asOf(now) <= this.#options.limits.maxStaleMs;
  }

  #read(key: string, read: () => Promise<Held<T>>, now: Instant): Promise<Held<T>> {
    const { epoch } = this.#options.feed;
    const underWay = this.#flights.get(key);
    if (underWay?.epoch === epoch) return underWay.answer;
    const flight: Flight<T> = { epoch, at: now, dirty: false, answer: Promise.reject() };
    flight.answer.catch(() => {});
    flight.answer = read()
      .then((held) => this.#keep(key, flight, held))
      .finally(() => {
        if (this.#flights.get(key) === flight) this.#flights.delete(key);
      });
    this.#flights.set(key, flight);
    return flight.answer;
  }

  #keep(key: string, flight: Flight<T>, { value, validUntil }: Held<T>): Entry<T> {
    const { feed, limits, isAbsent } = this.#options;
    // A fifth of jitter, so that what was read together is not read again together.
    const expiresAt = Math.min(validUntil, flight.at + limits.expiryMs * (0.8 + Math.random() * 0.4));
    // The change that made the flight dirty may have come right after the read, whatever was proven since.
    const suspect = flight.dirty || flight.epoch !== feed.epoch;
    const entry = new Entry(value, flight.at, flight.epoch, expiresAt, feed, suspect ? flight.at : undefined);
    const last = this.#entry(key);
    if (last === undefined || last.asOf(flight.at) <= entry.asOf(flight.at)) {
      const [to, from] = isAbsent(value) ? [this.#absent, this.#present] : [this.#present, this.#absent];
      from.delete(key);
      to.set(key, entry);
    }
    return entry;
  }
}

/** A value that was read in an epoch, and is current until a change is told, the epoch ends, or it expires. */
class Entry<T> implements Held<T> {
  readonly value: T;
  readonly validUntil: Instant;
  fault: unknown;
  readonly #at: Instant;
  readonly #epoch: number;
  readonly #feed: ChangeFeed;
  #invalidAsOf: Instant | undefined;

  constructor(
    value: T,
    at: Instant,
    epoch: number,
    validUntil: Instant,
    feed: ChangeFeed,
    invalidAsOf: Instant | undefined,
  ) {
    this.value = value;
    this.validUntil = validUntil;
    this.#at = at;
    this.#epoch = epoch;
    this.#feed = feed;
    this.#invalidAsOf = invalidAsOf;
  }

  isCurrent(now: Instant): boolean {
    return (
      this.#invalidAsOf === undefined &&
      this.#epoch === this.#feed.epoch &&
      now < this.validUntil &&
      this.#feed.isLive()
    );
  }

  asOf(now: Instant): Instant {
    if (this.#invalidAsOf !== undefined) return this.#invalidAsOf;
    return Math.max(this.#at, Math.min(this.#feed.provenUntil(this.#epoch), this.validUntil, now));
  }

  /** From now on it is only the last value that was known. */
  invalidate(): void {
    this.#invalidAsOf ??= Math.max(this.#at, Math.min(this.#feed.provenUntil(this.#epoch), this.validUntil));
  }
}
