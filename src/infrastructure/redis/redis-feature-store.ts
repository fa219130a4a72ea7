import type { Redis } from "ioredis";
import type { FeatureStore, SetChange, SetChanged } from "../../domain/feature-store.ts";
import { redisFault } from "./redis-fault.ts";

/** Changes Redis sets, each change in one transaction. */
export class RedisFeatureStore implements FeatureStore {
  readonly #redis: Redis;

  constructor(redis: Redis) {
    this.#redis = redis;
  }

  async apply({ key, add, remove }: SetChange): Promise<SetChanged> {
    const features = [...add, ...remove];
    if (features.length === 0) return { added: [], removed: [] };
    const transaction = this.#redis.multi().smismember(key, ...features);
    if (remove.length > 0) transaction.srem(key, ...remove);
    if (add.length > 0) transaction.sadd(key, ...add);
    const replies = await transaction.exec().catch((error) => redisFault(error, key));
    const failed = replies?.find(([error]) => error)?.[0];
    if (failed) redisFault(failed, key);
    const before = (replies?.[0]?.[1] ?? []) as number[];
    return {
      added: add.filter((_, index) => before[index] === 0),
      removed: remove.filter((_, index) => before[add.length + index] === 1),
    };
  }
}
