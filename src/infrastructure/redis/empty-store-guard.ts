import type { Redis } from "ioredis";
import type { Log } from "../logger.ts";
import type { FilledStores } from "../stores/filled-stores.ts";
import { ownPrefix } from "../stores/store-keys.ts";
import { isErrorReply, redisFault } from "./redis-fault.ts";

/** Marker key. It exists in every database that was found filled. No source and no token may use it. */
export const markerKey = `${ownPrefix}store`;

/** Delay before a missing or rejected marker is tried again, in milliseconds. */
const againMs = 1_000;

/** When a read began, by the monotonic clock, and whether the store was known to have been filled then. */
export type StateBefore = { readonly sentAt: number; readonly wasFilled: boolean };

/**
 * Empty-store guard: distinguishes a store that its users emptied from one that has lost its data. A flush by mistake,
 * or a restart without persistence, also deletes a marker that no change of a set or a token deletes.
 *
 * Writes the marker to a store once a read finds data, and checks it with every read. Once the marker was seen, an
 * empty result without it is rejected. Data that is found is valid, and restores the marker. If Redis rejects the
 * marker (missing rights or memory), results are accepted without it.
 *
 * All workers of the instance share the state that a store was filled. It comes from any read by any worker, from the
 * snapshot, and from the marker itself, which is checked on each connection and until it is found.
 */
export class EmptyStoreGuard {
  readonly #redis: Redis;
  readonly #connection: string;
  readonly #log: Log;
  readonly #store: string;
  readonly #filled: FilledStores;
  /** When the marker was first found missing. `Infinity` if it exists. */
  #missingSince = Number.POSITIVE_INFINITY;
  #asked: Promise<boolean> | undefined;
  #marking = false;
  #probe: NodeJS.Timeout | undefined;
  #isRejected = false;
  #warned = false;

  /** `store` is the id of the store in `filled`. */
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
    return !this.#isRejected && this.#filled.has(this.#store);
  }

  /**
   * Checks the marker, and again every second until the store is known to have been filled or the connection is lost.
   */
  async probe(): Promise<void> {
    clearTimeout(this.#probe);
    if (this.#isRejected || this.wasFilled) return;
    const marked = await this.isMarked().catch(() => false);
    if (marked) this.#filled.add(this.#store);
    else if (this.#redis.status === "ready") this.#probe = setTimeout(() => void this.probe(), againMs).unref();
  }

  /** The marker's key, unless Redis rejects it. */
  get markerKeys(): readonly string[] {
    return this.#isRejected ? [] : [markerKey];
  }

  /**
   * Runs `read` and returns its result. `isFound` states whether the result contains data. Rejects if the store has
   * lost its data.
   */
  async watch<T>(read: () => Promise<T>, isFound: (result: T) => boolean): Promise<T> {
    const before = this.before();
    // Requested before the read, so that it is sent after the read in the same round trip.
    const marked = this.isMarked();
    const [result, isMarked] = await Promise.all([read(), marked]);
    const again = () => this.watch(read, isFound);
    return this.accepts(before, isMarked, isFound(result), again) ? result : again();
  }

  /** The state for `accepts`, before a read. */
  before(): StateBefore {
    return { sentAt: performance.now(), wasFilled: this.wasFilled };
  }

  /**
   * Whether the result of a read is valid; otherwise it must be read again. `isMarked`: whether the marker existed at
   * the same time as the data or later. `isFound`: whether the result contains data. `again` repeats the read. Throws
   * if the store has lost its data.
   */
  accepts(before: StateBefore, isMarked: boolean, isFound: boolean, again: () => Promise<unknown>): boolean {
    if (isMarked) {
      this.#found();
      return true;
    }
    // The marker may have been set after the check.
    if (this.wasFilled && !before.wasFilled) return false;
    this.#missingSince = Math.min(this.#missingSince, performance.now());
    if (isFound) {
      // The result may date from right before the data loss.
      if (this.wasFilled && before.sentAt <= this.#missingSince) return false;
      // If the marker cannot be set, the read is repeated: its data may be lost by then.
      this.#mark(again);
    } else if (this.wasFilled) {
      throw new Error(this.#lost());
    }
    return true;
  }

  /** Rejects while a read found that the store has lost its data: an added feature would count as its whole content. */
  async demandFilled(): Promise<void> {
    if (!this.wasFilled || this.#missingSince === Number.POSITIVE_INFINITY) return;
    if (!(await this.isMarked())) throw new Error(this.#lost());
    this.#missingSince = Number.POSITIVE_INFINITY;
  }

  /** Accepts the store as valid, also if it is empty. */
  async accept(): Promise<void> {
    await this.#redis.set(markerKey, "1").catch((error) => redisFault(error, markerKey));
  }

  /**
   * Whether the marker exists. One check for all reads of a turn of the event loop, sent after the last of them. An
   * earlier check could precede a flush that emptied a later read.
   */
  isMarked(): Promise<boolean> {
    this.#asked ??= new Promise((resolve, reject) => {
      setImmediate(() => {
        this.#asked = undefined;
        this.#redis.exists(markerKey).then(
          (count) => resolve(count === 1),
          (error) => {
            if (!isErrorReply(error, "NOPERM")) return reject(error);
            this.#giveUp(error);
            resolve(false);
          },
        );
      });
    });
    return this.#asked;
  }

  #mark(again: () => Promise<unknown>): void {
    if (this.#isRejected || this.#marking) return;
    this.#marking = true;
    this.#redis.set(markerKey, "1", "NX").then(
      () => {
        this.#marking = false;
        this.#found();
      },
      (error) => {
        if (isErrorReply(error, "NOPERM")) return this.#giveUp(error);
        if (isErrorReply(error)) this.#warn(error);
        this.#tryLater(again);
      },
    );
  }

  /** Retries by itself: a cached value is not read again soon. */
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
    this.#isRejected = true;
    this.#warn(cause);
  }

  #warn(cause: Error): void {
    if (this.#warned) return;
    this.#warned = true;
    this.#log.warn(
      { connection: this.#connection, key: markerKey, cause: cause.message },
      "cannot write the marker; empty-store guard disabled",
    );
  }

  #lost(): string {
    return `connection "${this.#connection}": the store came back empty; restore it, or run npx tidegate stores accept`;
  }
}
