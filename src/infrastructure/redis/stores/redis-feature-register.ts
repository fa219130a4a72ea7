import { type CachedRead, uncachedRead } from "../../../domain/evaluation/cached-read.ts";
import { type FeatureKey, isServedKey } from "../../../domain/evaluation/feature.ts";
import { dayOf, type FeatureRegister, registeredForDays } from "../../../domain/evaluation/feature-register.ts";
import { inChunks } from "../../in-chunks.ts";
import type { EmptyStoreGuard } from "../empty-store-guard.ts";
import type { RedisClient } from "../redis-client.ts";
import { redisFault } from "../redis-fault.ts";
import { registerKey } from "../redis-keys.ts";

/** Maximum number of arguments of one command; a longer command would block the server. */
const atOnce = 1_000;

/** Feature register in a Redis sorted set: the score of a key is the day on which it was last registered. */
export class RedisFeatureRegister implements FeatureRegister {
  readonly #redis: RedisClient;
  readonly #guard: EmptyStoreGuard;

  constructor(redis: RedisClient, guard: EmptyStoreGuard) {
    this.#redis = redis;
    this.#guard = guard;
  }

  async read(): Promise<CachedRead<ReadonlySet<FeatureKey>>> {
    const at = this.#redis.asOf();
    const oldest = dayOf(at) - registeredForDays;
    const keys = await this.#guard
      .watch(
        () => this.#redis.zrangebyscore(registerKey, oldest, "+inf"),
        (found) => found.length > 0,
      )
      .catch((error) => redisFault(error, registerKey));
    return uncachedRead(new Set(keys.filter(isServedKey)), at);
  }

  async add(keys: readonly FeatureKey[]): Promise<void> {
    const today = dayOf(Date.now());
    try {
      for (const some of inChunks(keys, atOnce)) {
        await this.#redis.zadd(registerKey, ...some.flatMap((key) => [today, key]));
      }
      const expired = await this.#redis.zrangebyscore(registerKey, "-inf", `(${today - registeredForDays}`);
      for (const some of inChunks(expired, atOnce)) await this.#redis.zrem(registerKey, ...some);
    } catch (error) {
      redisFault(error as Error, registerKey);
    }
  }
}
