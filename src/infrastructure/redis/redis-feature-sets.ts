import { isUtf8 } from "node:buffer";
import type { Redis } from "ioredis";
import { StoreDataInvalid } from "../../domain/errors.ts";
import { isServedKey, longestServedKey } from "../../domain/feature.ts";
import type { FeatureSet, FeatureSets } from "../../domain/feature-sets.ts";
import { redisFault } from "./redis-fault.ts";

/** Reads Redis sets. */
export class RedisFeatureSets implements FeatureSets {
  readonly #redis: Redis;

  constructor(redis: Redis) {
    this.#redis = redis;
  }

  async read(key: string, limit: number): Promise<FeatureSet> {
    // SRANDMEMBER with a count answers the whole set where it has no more members than that.
    const members = await this.#redis.srandmemberBuffer(key, limit + 1).catch((error) => redisFault(error, key));
    if (members.length > limit) {
      throw new StoreDataInvalid(`the set ${key} has more than ${limit} members; raise maxMembers, or split it`);
    }
    const features = new Set<string>();
    for (const member of members) {
      if (member.length > 4 * longestServedKey || !isUtf8(member)) continue;
      const feature = member.toString("utf8");
      if (isServedKey(feature)) features.add(feature);
    }
    return { features, skipped: members.length - features.size };
  }
}
