import type { EmptyStoreGuard, Watched } from "../empty-store-guard.ts";
import type { RedisClient } from "../redis-client.ts";
import { isRefusal } from "../redis-fault.ts";
import { Script } from "../script.ts";

const script = new Script("read-keys", "no-writes");
/** Maximum number of keys that one script reads; more would block the server. */
const maxKeys = 100;

/** A string or `null`, or the members of a set; and the PTTL reply of its key. */
type Found<T> = readonly [value: T, ttl: number];
type Value = Buffer | null | readonly Buffer[];
type Read = {
  readonly key: string;
  /** 0 for a string. */
  readonly max: number;
  readonly resolve: (watched: Watched<Found<Value>>) => void;
  readonly reject: (cause: unknown) => void;
};

/**
 * Reads strings and sets with their lifetimes and the marker of the empty-store guard. One script reads all requests of
 * one turn of the event loop. Keys that Redis does not let the script read are read by single commands.
 */
export class RedisReads {
  readonly #redis: RedisClient;
  readonly #guard: EmptyStoreGuard;
  #requested: Read[] = [];

  constructor(redis: RedisClient, guard: EmptyStoreGuard) {
    this.#redis = redis;
    this.#guard = guard;
  }

  /** The string of a key; `null` if the key is missing. Rejects as `EmptyStoreGuard.watch` does. */
  string(key: string): Promise<Found<Buffer | null>> {
    return this.#guard.watchMarked(
      () => this.#request<Buffer | null>(key, 0),
      ([value]) => value !== null,
    );
  }

  /** At most `max` members of a set; none if the key is missing. Rejects as `EmptyStoreGuard.watch` does. */
  members(key: string, max: number): Promise<Found<readonly Buffer[]>> {
    return this.#guard.watchMarked(
      () => this.#request<readonly Buffer[]>(key, max),
      ([members]) => members.length > 0,
    );
  }

  #request<T extends Value>(key: string, max: number): Promise<Watched<Found<T>>> {
    return new Promise((resolve, reject) => {
      if (this.#requested.length === 0) setImmediate(() => this.#send());
      this.#requested.push({ key, max, resolve: resolve as Read["resolve"], reject });
    });
  }

  #send(): void {
    const requested = this.#requested;
    this.#requested = [];
    for (let start = 0; start < requested.length; start += maxKeys) {
      void this.#readAll(requested.slice(start, start + maxKeys));
    }
  }

  async #readAll(reads: readonly Read[]): Promise<void> {
    const keys = [...reads.map(({ key }) => key), ...this.#guard.markerKeys];
    const limits = reads.map(({ max }) => max);
    try {
      const reply = (await script.runBuffer(this.#redis, keys, limits)) as (Value | number)[];
      const isMarked = reply[2 * reads.length] === 1;
      for (const [index, read] of reads.entries()) {
        const ttl = reply[2 * index + 1];
        if (typeof ttl !== "number") this.#readAlone(read);
        else read.resolve({ answer: [reply[2 * index] as Value, ttl], isMarked });
      }
    } catch (cause) {
      // One forbidden key makes Redis reject the script.
      const isRejected = cause instanceof Error && isRefusal(cause);
      for (const read of reads) isRejected ? this.#readAlone(read) : read.reject(cause);
    }
  }

  #readAlone({ key, max, resolve, reject }: Read): void {
    // SRANDMEMBER with a count returns the whole set if it has at most that many members.
    const value = max === 0 ? this.#redis.getBuffer(key) : this.#redis.srandmemberBuffer(key, max);
    Promise.all([value, this.#redis.pttl(key), this.#guard.isMarked()]).then(
      ([value, ttl, isMarked]) => resolve({ answer: [value, ttl], isMarked }),
      reject,
    );
  }
}
