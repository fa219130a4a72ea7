import type { ChangeFeed } from "../../domain/change-feed.ts";
import type { Instant } from "../../domain/evaluation-context.ts";
import type { Held } from "../../domain/held.ts";

/** What is remembered of a key. */
export type Remembered<T> = Held<T> & {
  /** When the value was first read. */
  readonly since: Instant;
};

/** Which read a value is from, when it was sent, in which epoch, and until when it is good. */
export type Read = {
  readonly order: number;
  readonly at: Instant;
  readonly epoch: number;
  readonly validUntil: Instant;
};

/** Why a key could not be read, and when it may be read again, by the monotonic clock. */
export type Failure = { readonly fault: unknown; readonly recheckAt: number };

/** A value that was read in an epoch, and is current until a change is told, the epoch ends, or it expires. */
export class Entry<T> implements Remembered<T> {
  readonly value: T;
  readonly feed: ChangeFeed;
  order: number;
  validUntil: Instant;
  failure: Failure | undefined;
  // Each in a field of its own, because there may be hundreds of thousands of them.
  #at: Instant;
  #epoch: number;
  #since: Instant | undefined;
  #invalidAsOf: Instant | undefined;

  constructor(value: T, { order, at, epoch, validUntil }: Read, feed: ChangeFeed, invalidAsOf: Instant | undefined) {
    this.value = value;
    this.feed = feed;
    this.order = order;
    this.validUntil = validUntil;
    this.failure = undefined;
    this.#at = at;
    this.#epoch = epoch;
    this.#since = undefined;
    this.#invalidAsOf = invalidAsOf;
  }

  get fault(): unknown {
    return this.failure?.fault;
  }

  get since(): Instant {
    return this.#since ?? this.#at;
  }

  isCurrent(now: Instant): boolean {
    return (
      this.#invalidAsOf === undefined &&
      this.#epoch === this.feed.epoch &&
      now < this.validUntil &&
      this.feed.isLive(now)
    );
  }

  asOf(now: Instant): Instant {
    return this.#invalidAsOf ?? Math.min(now, this.#provenUntil());
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
  renew({ order, at, epoch, validUntil }: Read): void {
    this.#since ??= this.#at;
    this.order = order;
    this.validUntil = validUntil;
    this.failure = undefined;
    this.#at = at;
    this.#epoch = epoch;
    this.#invalidAsOf = undefined;
  }

  #provenUntil(): Instant {
    return Math.max(this.#at, Math.min(this.feed.provenUntil(this.#epoch), this.validUntil));
  }
}
