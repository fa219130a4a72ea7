import type { CachedRead } from "../../domain/evaluation/cached-read.ts";
import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import type { InvalidationFeed } from "../../domain/evaluation/invalidation-feed.ts";
import type { Cached } from "./second-chance.ts";

/** A cache entry of a key. */
export type CachedEntry<T> = CachedRead<T> & {
  /** When the value was first read. */
  readonly since: Instant;
};

/** A read: its order, the time it was sent, its epoch and its expiry. Times are monotonic. */
export type Read = {
  readonly order: number;
  readonly at: number;
  readonly epoch: number;
  readonly expiresAt: number;
};

/** State that the entries of a cache share. */
export type EntryContext = {
  readonly invalidations: InvalidationFeed;
  readonly now: () => Instant;
  /** Monotonic clock, in milliseconds. */
  readonly monotonic: () => number;
  /** Time for which a value is served after it was last verified, in milliseconds. */
  readonly maxStaleMs: number;
  /** Set if a read failed while the feed was lost: then no key is readable. */
  outage: Failure | undefined;
};

/** The error of a failed read, and the monotonic time from which a retry is allowed. */
export type Failure = { readonly fault: unknown; readonly recheckAt: number };

/** Order of an entry that has left the cache. */
const retired = -1;

/**
 * A value that was read in an epoch. It is fresh until an invalidation, the end of the epoch, or its expiry. Its age
 * uses the monotonic clock, so setting the wall clock does not change it.
 */
export class Entry<T> implements CachedEntry<T>, Cached {
  readonly value: T;
  order: number;
  isUsed = false;
  failure: Failure | undefined;
  // Separate fields save memory: there may be hundreds of thousands of entries.
  readonly #context: EntryContext;
  // Times are in whole milliseconds, rounded down: V8 stores an integer in the field, and any other number as an
  // object.
  #at: number;
  #expiresAt: number;
  #epoch: number;
  #since: number | undefined;
  #invalidAsOf: number | undefined;

  constructor(
    value: T,
    { order, at, epoch, expiresAt }: Read,
    context: EntryContext,
    invalidAsOf: number | undefined = undefined,
  ) {
    this.value = value;
    this.#context = context;
    this.order = order;
    this.failure = undefined;
    this.#at = Math.floor(at);
    this.#expiresAt = Math.floor(expiresAt);
    this.#epoch = epoch;
    this.#since = undefined;
    this.#invalidAsOf = invalidAsOf;
  }

  get lastError(): unknown {
    return this.failure?.fault;
  }

  get invalidations(): InvalidationFeed {
    return this.#context.invalidations;
  }

  get since(): Instant {
    return this.#wall(this.#since ?? this.#at);
  }

  get validUntil(): Instant {
    return this.#wall(this.#expiresAt);
  }

  isCurrent(now: Instant): boolean {
    const { invalidations, monotonic } = this.#context;
    return (
      this.#invalidAsOf === undefined &&
      this.#epoch === invalidations.epoch &&
      monotonic() < this.#expiresAt &&
      invalidations.isLive(now)
    );
  }

  verifiedAt(now: Instant): Instant {
    return now - this.ageMs;
  }

  /** Time since the value was last verified, in milliseconds. */
  get ageMs(): number {
    return Math.max(0, this.#context.monotonic() - (this.#invalidAsOf ?? this.#provenUntil()));
  }

  /** Whether the value may be served while the store is unavailable. */
  get mayServe(): boolean {
    return this.ageMs <= this.#context.maxStaleMs;
  }

  /**
   * Whether the value is served without a read, because it is too early for a retry: of this key or, while the store is
   * unavailable, of any.
   */
  isServedStale(): boolean {
    if (this.order === retired || !this.mayServe) return false;
    const { outage, monotonic } = this.#context;
    const now = monotonic();
    if (outage && now < outage.recheckAt) this.failure = outage;
    return this.failure !== undefined && now < this.failure.recheckAt;
  }

  /** Marks an entry that leaves the cache: it receives no more invalidations, so its holders must read again. */
  retire(): void {
    this.invalidate();
    this.order = retired;
  }

  /** Marks the entry as stale. */
  invalidate(): void {
    this.#invalidAsOf ??= this.#provenUntil();
  }

  /**
   * Marks the entry as stale and allows a retry at once, because the key has changed. Keeps the error: a caller may
   * have received the value in place of a failed read, and marks its response later.
   */
  change(): void {
    this.invalidate();
    if (this.failure) this.failure = { fault: this.failure.fault, recheckAt: Number.NEGATIVE_INFINITY };
  }

  /** Renews the entry after a read of an equal value. Evaluations made from it become valid again. */
  renew({ order, at, epoch, expiresAt }: Read): void {
    this.#since ??= this.#at;
    this.order = order;
    this.#expiresAt = Math.floor(expiresAt);
    this.failure = undefined;
    this.#at = Math.floor(at);
    this.#epoch = epoch;
    this.#invalidAsOf = undefined;
  }

  #provenUntil(): number {
    return Math.max(this.#at, Math.min(this.invalidations.syncedUntil(this.#epoch), this.#expiresAt));
  }

  /** The wall-clock time of a monotonic time, unless the wall clock is set. */
  #wall(monotonicMs: number): Instant {
    const { now, monotonic } = this.#context;
    return now() + monotonicMs - monotonic();
  }
}
