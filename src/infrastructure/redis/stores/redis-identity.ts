import { randomUUID } from "node:crypto";
import type { Redis } from "ioredis";
import { isRefusal, redisFault } from "../redis-fault.ts";
import { identityKey } from "../redis-keys.ts";

const rereadMs = 1_000;

/**
 * Identity of a Redis database, written on the first read. If a database has lost its data, the identity that this
 * process has is written again.
 */
export class RedisIdentity {
  readonly #redis: Redis;
  #identity: string | undefined;
  #readAt = Number.NEGATIVE_INFINITY;

  constructor(redis: Redis) {
    this.#redis = redis;
  }

  /** `undefined` if the user may not read or write it, and no other client has written it. */
  async read(): Promise<string | undefined> {
    if (performance.now() - this.#readAt < rereadMs) return this.#identity;
    this.#identity = await this.#readOrWrite(this.#identity ?? randomUUID()).catch((error) =>
      redisFault(error, identityKey),
    );
    this.#readAt = performance.now();
    return this.#identity;
  }

  async #readOrWrite(own: string): Promise<string | undefined> {
    try {
      return (await this.#redis.set(identityKey, own, "NX", "GET")) ?? own;
    } catch (error) {
      if (!(error instanceof Error) || !(isRefusal(error, "NOPERM") || isRefusal(error, "READONLY"))) throw error;
      return await this.#readOnly();
    }
  }

  async #readOnly(): Promise<string | undefined> {
    try {
      return (await this.#redis.get(identityKey)) ?? undefined;
    } catch (error) {
      if (error instanceof Error && isRefusal(error, "NOPERM")) return undefined;
      throw error;
    }
  }
}
