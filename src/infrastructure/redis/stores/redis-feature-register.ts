import { uncachedRead } from "../../../domain/evaluation/cached-read.ts";
import { isServedKey } from "../../../domain/evaluation/feature.ts";
import { dayOf, type FeatureRegister, registeredForDays } from "../../../domain/features/feature-register.ts";
import { inChunks } from "../../in-chunks.ts";
import { registerKey } from "../../stores/store-keys.ts";
import type { EmptyStoreGuard } from "../empty-store-guard.ts";
import type { RedisClient } from "../redis-client.ts";
import { redisFault } from "../redis-fault.ts";

/** Maximum number of arguments of one command; a longer command would block the server. */
const atOnce = 1_000;

/** Feature register in a Redis sorted set: the score of a key is the day on which it was last registered. */
export function redisFeatureRegister(redis: RedisClient, guard: EmptyStoreGuard): FeatureRegister {
  return {
    async read() {
      const at = redis.asOf();
      const oldest = dayOf(at) - registeredForDays;
      const keys = await guard
        .watch(
          () => redis.zrangebyscore(registerKey, oldest, "+inf"),
          (found) => found.length > 0,
        )
        .catch((error) => redisFault(error, registerKey));
      return uncachedRead(new Set(keys.filter(isServedKey)), at);
    },
    async add(keys) {
      const today = dayOf(Date.now());
      try {
        for (const some of inChunks(keys, atOnce)) {
          await redis.zadd(registerKey, ...some.flatMap((key) => [today, key]));
        }
        const expired = await redis.zrangebyscore(registerKey, "-inf", `(${today - registeredForDays}`);
        for (const some of inChunks(expired, atOnce)) await redis.zrem(registerKey, ...some);
      } catch (error) {
        redisFault(error as Error, registerKey);
      }
    },
  };
}
