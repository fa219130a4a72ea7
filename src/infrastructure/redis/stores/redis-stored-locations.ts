import type { FeatureStore } from "../../../domain/admin/feature-store.ts";
import { type CachedRead, uncachedRead } from "../../../domain/evaluation/cached-read.ts";
import { isServedKey } from "../../../domain/evaluation/feature.ts";
import type { FeatureSet, FeatureSets } from "../../../domain/evaluation/feature-sets.ts";
import type { EmptyStoreGuard } from "../empty-store-guard.ts";
import { expiry } from "../expiry.ts";
import type { RedisClient } from "../redis-client.ts";
import { isRefusal, redisFault } from "../redis-fault.ts";
import { scan } from "../scan.ts";

/** Reads location names: one as a string, or several as a set. */
export class RedisStoredLocations implements FeatureSets, Pick<FeatureStore, "allKeys"> {
  readonly #redis: RedisClient;
  readonly #guard: EmptyStoreGuard;
  readonly #sets: FeatureSets;

  constructor(redis: RedisClient, guard: EmptyStoreGuard, sets: FeatureSets) {
    this.#redis = redis;
    this.#guard = guard;
    this.#sets = sets;
  }

  async *allKeys(prefix: string): AsyncGenerator<readonly string[]> {
    yield* scan(this.#redis, prefix, "set");
    yield* scan(this.#redis, prefix, "string");
  }

  async read(key: string, limit: number): Promise<CachedRead<FeatureSet>> {
    const at = this.#redis.asOf();
    const read = () => Promise.all([this.#redis.get(key), this.#redis.pttl(key)]);
    try {
      const [name, ttl] = await this.#guard.watch(read, ([found]) => found !== null);
      const features = name !== null && isServedKey(name) ? [name] : [];
      return uncachedRead({ features, invalidMembers: name === null ? 0 : 1 - features.length }, at, expiry(at, ttl));
    } catch (error) {
      if (isRefusal(error as Error, "WRONGTYPE")) return this.#sets.read(key, limit);
      return redisFault(error as Error, key);
    }
  }
}
