import type { FeatureStore } from "../../../domain/admin/feature-store.ts";
import { uncachedRead } from "../../../domain/evaluation/cached-read.ts";
import { isServedKey } from "../../../domain/evaluation/feature.ts";
import type { FeatureSets } from "../../../domain/evaluation/feature-sets.ts";
import type { EmptyStoreGuard } from "../empty-store-guard.ts";
import { expiry } from "../expiry.ts";
import type { RedisClient } from "../redis-client.ts";
import { isErrorReply, redisFault } from "../redis-fault.ts";
import { scan } from "../scan.ts";

/** Reads location names: one as a string, or several as a set. */
export function redisStoredLocations(
  redis: RedisClient,
  guard: EmptyStoreGuard,
  sets: FeatureSets,
): FeatureSets & Pick<FeatureStore, "allKeys"> {
  return {
    async *allKeys(prefix) {
      yield* scan(redis, prefix, "set");
      yield* scan(redis, prefix, "string");
    },
    async read(key, limit) {
      const at = redis.asOf();
      const read = () => Promise.all([redis.get(key), redis.pttl(key)]);
      try {
        const [name, ttl] = await guard.watch(read, ([found]) => found !== null);
        const features = name !== null && isServedKey(name) ? [name] : [];
        return uncachedRead({ features, invalidMembers: name === null ? 0 : 1 - features.length }, at, expiry(at, ttl));
      } catch (error) {
        if (isErrorReply(error as Error, "WRONGTYPE")) return sets.read(key, limit);
        return redisFault(error as Error, key);
      }
    },
  };
}
