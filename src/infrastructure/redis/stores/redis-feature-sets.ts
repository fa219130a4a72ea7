import { isUtf8 } from "node:buffer";
import { StoreDataInvalid } from "../../../domain/errors.ts";
import { type CachedRead, uncachedRead } from "../../../domain/evaluation/cached-read.ts";
import { isServedKey, maxServedKeyLength } from "../../../domain/evaluation/feature.ts";
import type { FeatureSet, FeatureSets } from "../../../domain/evaluation/feature-sets.ts";
import { SharedStrings } from "../../cache/shared-strings.ts";
import { expiry } from "../expiry.ts";
import type { RedisClient } from "../redis-client.ts";
import { redisFault } from "../redis-fault.ts";
import type { RedisReads } from "./redis-reads.ts";

/** Reads Redis sets. */
export class RedisFeatureSets implements FeatureSets {
  readonly #redis: RedisClient;
  readonly #reads: RedisReads;
  readonly #names = new SharedStrings(10_000);

  constructor(redis: RedisClient, reads: RedisReads) {
    this.#redis = redis;
    this.#reads = reads;
  }

  async read(key: string, limit: number): Promise<CachedRead<FeatureSet>> {
    const at = this.#redis.asOf();
    // One more than the limit, to detect larger sets.
    const [members, ttl] = await this.#reads.members(key, limit + 1).catch((error) => redisFault(error, key));
    if (members.length > limit) {
      throw new StoreDataInvalid(`the set ${key} has more than ${limit} members; raise maxMembers, or split it`);
    }
    const features: string[] = [];
    for (const member of members) {
      if (member.length > 4 * maxServedKeyLength || !isUtf8(member)) continue;
      const feature = member.toString("utf8");
      if (isServedKey(feature)) features.push(this.#names.of(feature));
    }
    // A copy has no spare capacity.
    return uncachedRead(
      { features: features.slice(), invalidMembers: members.length - features.length },
      at,
      expiry(at, ttl),
    );
  }
}
