import type { CachedRead } from "../../domain/evaluation/cached-read.ts";
import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import type { InvalidationFeed } from "../../domain/evaluation/invalidation-feed.ts";

/** What is remembered of a key. */
export type CachedEntry<T> = CachedRead<T> & {
  /** When the value was first read. */
  readonly since: Instant;
};

/** Which read a value is from, when it was sent, in which epoch, and until when it is good. Times are monotonic. */
export type Read = {
  readonly order: number;
  readonly at: number;
  readonly epoch: number;
  readonly expiresAt: number;
};

/** What the entries of a cache share. */
export type EntryContext = {
  readonly feed: InvalidationFeed;
  readonly now: () => Instant;
  /** A clock that cannot be set, in milliseconds. */
  readonly monotonic: () => number;
};

/** Why a key could not be read, and when it may be read again, by the monotonic clock. */
export type Failure = { readonly fault: unknown; readonly recheckAt: number };

/**
 * A value that was read in an epoch, and is current until a change is told, the epoch ends, or it expires. Its age is
 * measured by the monotonic clock, so that setting the wall clock makes it neither older nor younger.
 */
export class Entry<T> implements CachedEntry<T> {
  readonly value: T;
  order: number;
  failure: Failure | undefined;
  // Each in a field of its own, because there may be hundreds of thousands of them.
  readonly #context: EntryContext;
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
    this.#at = at;
    this.#expiresAt = expiresAt;
    this.#epoch = epoch;
    this.#since = undefined;
    this.#invalidAsOf = invalidAsOf;
  }

  get lastError(): unknown {
    return this.failure?.fault;
  }

  get feed(): InvalidationFeed {
    return this.#context.feed;
  }

  get since(): Instant {
    return this.#wall(this.#since ?? this.#at);
  }

  get validUntil(): Instant {
    return this.#wall(this.#expiresAt);
  }

  isCurrent(now: Instant): boolean {
    const { feed, monotonic } = this.#context;
    return (
      this.#invalidAsOf === undefined && this.#epoch === feed.epoch && monotonic() < this.#expiresAt && feed.isLive(now)
    );
  }

  verifiedAt(now: Instant): Instant {
    return now - this.ageMs;
  }

  /** How long ago it was last known to be true. */
  get ageMs(): number {
    return Math.max(0, this.#context.monotonic() - (this.#invalidAsOf ?? this.#provenUntil()));
  }

  /** From now on it is only the last value that was known. */
  invalidate(): void {
    this.#invalidAsOf ??= this.#provenUntil();
  }

  /** The key has changed: whatever failed, it is worth reading again. */
  change(): void {
    this.invalidate();
    this.failure = undefined;
  }

  /** The same value was read again: what was made from it is current again. */
  renew({ order, at, epoch, expiresAt }: Read): void {
    this.#since ??= this.#at;
    this.order = order;
    this.#expiresAt = expiresAt;
    this.failure = undefined;
    this.#at = at;
    this.#epoch = epoch;
    this.#invalidAsOf = undefined;
  }

  #provenUntil(): number {
    return Math.max(this.#at, Math.min(this.feed.syncedUntil(this.#epoch), this.#expiresAt));
  }

  /** What the wall clock showed at a monotonic time, or will, unless it is set. */
  #wall(monotonicMs: number): Instant {
    const { now, monotonic } = this.#context;
    return now() + monotonicMs - monotonic();
  }
}
