import { isUtf8 } from "node:buffer";
import type { Instant } from "../../../domain/evaluation/evaluation-context.ts";
import type { EmptyStoreGuard, StateBefore } from "../empty-store-guard.ts";
import type { RedisClient } from "../redis-client.ts";
import { isErrorReply, redisFault } from "../redis-fault.ts";
import { Script } from "../script.ts";

const script = new Script("read-keys", "no-writes");
/** Maximum number of keys that one script reads; more would block the server. */
const maxKeys = 100;

/** The members of a set that are UTF-8, and the number of all. The array is the receiver's. */
export type Members = { readonly texts: string[]; readonly count: number };

/** Makes a result from a value, the PTTL reply of its key, and the instant for which both are current. */
type Make<V, T> = (value: V, ttl: number, at: Instant) => T;

type Value = Buffer | null | Members;
/** What a read is for. Shared by all reads of one kind, because there are thousands a second. */
type Kind = {
  readonly type: "string" | "set";
  /** Whether the key contains a token, which errors must not name. */
  readonly isSecret: boolean;
};
const tokenString: Kind = { type: "string", isSecret: true };
const featureSet: Kind = { type: "set", isSecret: false };

type Read = {
  readonly key: string;
  readonly kind: Kind;
  /** Maximum number of members. 0 tells the script to read a string. */
  readonly max: number;
  readonly make: Make<Value, unknown>;
  readonly resolve: (made: unknown) => void;
  readonly reject: (cause: unknown) => void;
};

/**
 * Reads strings and sets with their lifetimes and the marker of the empty-store guard. One script reads all requests of
 * one turn of the event loop. Keys that Redis does not let the script read are read by single commands.
 *
 * A read has one promise, which resolves to what the caller makes of the reply: at thousands of reads a second, each
 * further one costs as much as the read itself.
 */
export class RedisReads {
  readonly #redis: RedisClient;
  readonly #guard: EmptyStoreGuard;
  #requested: Read[] = [];

  constructor(redis: RedisClient, guard: EmptyStoreGuard) {
    this.#redis = redis;
    this.#guard = guard;
  }

  /** Reads the string of a token's key; `null` if it is missing. Rejects if the store has lost its data. */
  string<T>(key: string, make: Make<Buffer | null, T>): Promise<T> {
    return this.#request(tokenString, key, 0, make);
  }

  /** Reads at most `max` members of a set; none if the key is missing. Rejects if the store has lost its data. */
  members<T>(key: string, max: number, make: Make<Members, T>): Promise<T> {
    return this.#request(featureSet, key, max, make);
  }

  #request<V extends Value, T>(kind: Kind, key: string, max: number, make: Make<V, T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#add({ key, kind, max, make: make as Make<Value, unknown>, resolve: resolve as Read["resolve"], reject });
    });
  }

  #add(read: Read): void {
    if (this.#requested.length === 0) setImmediate(() => this.#send());
    this.#requested.push(read);
  }

  #send(): void {
    const requested = this.#requested;
    this.#requested = [];
    for (let start = 0; start < requested.length; start += maxKeys) {
      void this.#readAll(requested.slice(start, start + maxKeys));
    }
  }

  async #readAll(reads: readonly Read[]): Promise<void> {
    const at = this.#redis.asOf();
    const before = this.#guard.before();
    const keys = [...reads.map(({ key }) => key), ...this.#guard.markerKeys];
    const limits = reads.map(({ max }) => max);
    try {
      const reply = (await script.runBuffer(this.#redis, keys, limits)) as (Buffer | number | null)[];
      const isMarked = reply[2 * reads.length] === 1;
      for (const [index, read] of reads.entries()) {
        const ttl = reply[2 * index + 1];
        const raw = reply[2 * index] as Buffer | null;
        const value = read.kind.type === "string" ? raw : raw && membersOfReply(raw);
        if (typeof ttl !== "number" || value === undefined) this.#readAlone(read);
        else this.#finish(read, value, ttl, at, isMarked, before);
      }
    } catch (cause) {
      // One forbidden key makes Redis reject the script.
      const isRejected = cause instanceof Error && isErrorReply(cause);
      for (const read of reads) isRejected ? this.#readAlone(read) : fail(read, cause);
    }
  }

  #readAlone(read: Read): void {
    const { key, kind, max } = read;
    const at = this.#redis.asOf();
    const before = this.#guard.before();
    // SRANDMEMBER with a count returns the whole set if it has at most that many members.
    const value =
      kind.type === "string" ? this.#redis.getBuffer(key) : this.#redis.srandmemberBuffer(key, max).then(membersOfList);
    Promise.all([value, this.#redis.pttl(key), this.#guard.isMarked()]).then(
      ([value, ttl, isMarked]) => this.#finish(read, value, ttl, at, isMarked, before),
      (cause) => fail(read, cause),
    );
  }

  #finish(read: Read, value: Value, ttl: number, at: Instant, isMarked: boolean, before: StateBefore): void {
    const isFound = value !== null && (Buffer.isBuffer(value) || value.count > 0);
    const again = () => new Promise((resolve, reject) => this.#add({ ...read, resolve, reject }));
    try {
      if (this.#guard.accepts(before, isMarked, isFound, again)) read.resolve(read.make(value, ttl, at));
      else this.#add(read);
    } catch (cause) {
      read.reject(cause);
    }
  }
}

function fail({ key, kind, reject }: Read, cause: unknown): void {
  try {
    redisFault(cause as Error, kind.isSecret ? undefined : key);
  } catch (fault) {
    reject(fault);
  }
}

/**
 * The members in a text of the script, which has their number in its first line: decoding one text is faster than each
 * member. `undefined` if it cannot be told apart, because a member is not UTF-8 or contains a line feed.
 */
function membersOfReply(text: Buffer): Members | undefined {
  if (!isUtf8(text)) return undefined;
  const texts = text.toString().split("\n");
  const count = Number(texts.shift());
  if (count === 0) texts.length = 0;
  return texts.length === count ? { texts, count } : undefined;
}

const membersOfList = (members: readonly Buffer[]): Members => ({
  texts: members.filter(isUtf8).map(String),
  count: members.length,
});
