import type { Redis } from "ioredis";
import type { Log } from "../logger.ts";
import { isRefusal, redisFault } from "./redis-fault.ts";
import { ownPrefix } from "./redis-keys.ts";

/** The key that stands in every database that was found to be filled. No source and no token has it. */
export const markerKey = `${ownPrefix}store`;

const markEveryMs = 1_000;

/**
 * Tells a store that was emptied by its users from one that has lost its data: a flush by mistake, or a restart without
 * persistence, takes a marker with it that no change of a set or a token takes.
 *
 * The marker is put into a store in which something is found, and asked for after every read. Once it was seen, nothing
 * is believed to be empty without it; what is found is believed, and puts it there again. Where Redis refuses the
 * marker (for rights or memory), the store is believed as it is.
 */
export class EmptyStoreGuard {
  readonly #redis: Redis;
  readonly #connection: string;
  readonly #log: Log;
  /** Whether the store is known to have been filled. */
  wasFilled = false;
  /** When it was first found to be unmarked; `Infinity` where it is marked. */
  #missingSince = Number.POSITIVE_INFINITY;
  #asked: Promise<boolean> | undefined;
  #markAgainAt = Number.NEGATIVE_INFINITY;
  #refused = false;
  #warned = false;

  constructor(redis: Redis, connection: string, log: Log) {
    this.#redis = redis;
    this.#connection = connection;
    this.#log = log;
  }

  /** What `read` answers, of which `isFound` tells whether the store held anything. Rejects when the store has lost its data. */
  async watch<T>(read: () => Promise<T>, isFound: (answer: T) => boolean): Promise<T> {
    const sentAt = performance.now();
    // Asked for before the read is made, so that it is sent after it in the same round trip.
    const marked = this.#isMarked();
    const [answer, isMarked] = await Promise.all([read(), marked]);
    if (isMarked) {
      this.wasFilled = true;
      this.#missingSince = Number.POSITIVE_INFINITY;
      return answer;
    }
    this.#missingSince = Math.min(this.#missingSince, performance.now());
    if (isFound(answer)) {
      // What was asked for before the loss was known may have been found right before it.
      if (this.wasFilled && sentAt <= this.#missingSince) return this.watch(read, isFound);
      this.#mark();
    } else if (this.wasFilled) {
      throw new Error(this.#lost());
    }
    return answer;
  }

  /** Rejects while the store is known to have lost its data: what is added to it would be taken for all that it held. */
  async demandFilled(): Promise<void> {
    if (!this.wasFilled || this.#missingSince === Number.POSITIVE_INFINITY) return;
    if (!(await this.#isMarked())) throw new Error(this.#lost());
    this.#missingSince = Number.POSITIVE_INFINITY;
  }

  /** Believes the store from now on, also when it is empty. */
  async accept(): Promise<void> {
    await this.#redis.set(markerKey, "1").catch((error) => redisFault(error, markerKey));
  }

  /** Asked once for all reads of one turn of the event loop, after the last of them: what was empty before a flush may be. */
  #isMarked(): Promise<boolean> {
    this.#asked ??= new Promise((resolve, reject) => {
      setImmediate(() => {
        this.#asked = undefined;
        this.#redis.exists(markerKey).then(
          (count) => resolve(count === 1),
          (error) => {
            if (!isRefusal(error, "NOPERM")) return reject(error);
            this.#giveUp(error);
            resolve(false);
          },
        );
      });
    });
    return this.#asked;
  }

  #mark(): void {
    const now = performance.now();
    if (this.#refused || now < this.#markAgainAt) return;
    this.#markAgainAt = now + markEveryMs;
    this.#redis.set(markerKey, "1", "NX").then(
      () => {
        this.wasFilled = true;
        this.#missingSince = Number.POSITIVE_INFINITY;
      },
      (error) => {
        if (isRefusal(error, "NOPERM")) this.#giveUp(error);
        else if (isRefusal(error)) this.#warn(error);
      },
    );
  }

  #giveUp(cause: Error): void {
    this.wasFilled = false;
    this.#refused = true;
    this.#warn(cause);
  }

  #warn(cause: Error): void {
    if (this.#warned) return;
    this.#warned = true;
    this.#log.warn(
      { connection: this.#connection, key: markerKey, cause: cause.message },
      "Redis refuses the marker: a store that comes back empty will be believed",
    );
  }

  #lost(): string {
    return `the store of connection "${this.#connection}" came back empty; restore it, or accept it with npx tidegate store accept`;
  }
}
