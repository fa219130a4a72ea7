import type { Redis } from "ioredis";
import type { Log } from "../logger.ts";
import type { FilledStores } from "./filled-stores.ts";
import { isRefusal, redisFault } from "./redis-fault.ts";
import { ownPrefix } from "./redis-keys.ts";

/** The key that stands in every database that was found to be filled. No source and no token has it. */
export const markerKey = `${ownPrefix}store`;

/** A store whose marker is missing, or could not be set, is asked again after so long. */
const againMs = 1_000;

/**
 * Tells a store that was emptied by its users from one that has lost its data: a flush by mistake, or a restart without
 * persistence, takes a marker with it that no change of a set or a token takes.
 *
 * The marker is put into a store in which something is found, and asked for after every read. Once it was seen, nothing
 * is believed to be empty without it; what is found is believed, and puts it there again. Where Redis refuses the
 * marker (for rights or memory), the store is believed as it is.
 *
 * The knowledge that the store was filled belongs to the whole instance: it comes from any read by any of its workers, from
 * the snapshot, and from the marker itself, which is asked for on each connection and until it is found.
 */
export class EmptyStoreGuard {
  readonly #redis: Redis;
  readonly #connection: string;
  readonly #log: Log;
  readonly #store: string;
  readonly #filled: FilledStores;
  /** When it was first found to be unmarked; `Infinity` where it is marked. */
  #missingSince = Number.POSITIVE_INFINITY;
  #asked: Promise<boolean> | undefined;
  #marking = false;
  #probe: NodeJS.Timeout | undefined;
  #refused = false;
  #warned = false;

  /** `store` is the store's id in `filled`. */
  constructor(redis: Redis, connection: string, log: Log, store: string, filled: FilledStores) {
    this.#redis = redis;
    this.#connection = connection;
    this.#log = log;
    this.#store = store;
    this.#filled = filled;
    redis.on("ready", () => void this.probe());
    redis.on("close", () => clearTimeout(this.#probe));
  }

  /** Whether the store is known to have been filled. */
  get wasFilled(): boolean {
    return !this.#refused && this.#filled.has(this.#store);
  }

  /** Asks for the marker, and again every second until the store is known to have been filled or the connection is lost. */
  async probe(): Promise<void> {
    clearTimeout(this.#probe);
    if (this.#refused || this.wasFilled) return;
    const marked = await this.#isMarked().catch(() => false);
    if (marked) this.#filled.add(this.#store);
    else if (this.#redis.status === "ready") this.#probe = setTimeout(() => void this.probe(), againMs).unref();
  }

  /** What `read` answers, of which `isFound` tells whether the store held anything. Rejects when the store has lost its data. */
  async watch<T>(read: () => Promise<T>, isFound: (answer: T) => boolean): Promise<T> {
    const sentAt = performance.now();
    const { wasFilled } = this;
    // Asked for before the read is made, so that it is sent after it in the same round trip.
    const marked = this.#isMarked();
    const [answer, isMarked] = await Promise.all([read(), marked]);
    if (isMarked) {
      this.#found();
      return answer;
    }
    // The marker may have been set since it was asked for.
    if (this.wasFilled && !wasFilled) return this.watch(read, isFound);
    this.#missingSince = Math.min(this.#missingSince, performance.now());
    if (isFound(answer)) {
      // What was asked for before the loss was known may have been found right before it.
      if (this.wasFilled && sentAt <= this.#missingSince) return this.watch(read, isFound);
      // Where it cannot be set, the same is looked for again: it may be lost by then.
      this.#mark(() => this.watch(read, isFound));
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

  #mark(again: () => Promise<unknown>): void {
    if (this.#refused || this.#marking) return;
    this.#marking = true;
    this.#redis.set(markerKey, "1", "NX").then(
      () => {
        this.#marking = false;
        this.#found();
      },
      (error) => {
        if (isRefusal(error, "NOPERM")) return this.#giveUp(error);
        if (isRefusal(error)) this.#warn(error);
        this.#tryLater(again);
      },
    );
  }

  /** A cached value is not read again soon, so that nobody else would try. */
  #tryLater(again: () => Promise<unknown>): void {
    setTimeout(() => {
      this.#marking = false;
      if (this.#redis.status !== "end") again().catch(() => this.#tryLater(again));
    }, againMs).unref();
  }

  #found(): void {
    this.#filled.add(this.#store);
    this.#missingSince = Number.POSITIVE_INFINITY;
  }

  #giveUp(cause: Error): void {
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
