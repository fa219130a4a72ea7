import { isUtf8 } from "node:buffer";
import { StoreDataInvalid } from "../../../domain/errors.ts";
import { type CachedRead, uncachedRead } from "../../../domain/evaluation/cached-read.ts";
import { isServedKey, longestServedKey } from "../../../domain/evaluation/feature.ts";
import type { FeatureSet, FeatureSets } from "../../../domain/evaluation/feature-sets.ts";
import { SharedStrings } from "../../cache/shared-strings.ts";
import type { EmptyStoreGuard } from "../empty-store-guard.ts";
import { expiry } from "../expiry.ts";
import type { RedisClient } from "../redis-client.ts";
import { redisFault } from "../redis-fault.ts";

/** Reads Redis sets. */
export class RedisFeatureSets implements FeatureSets {
  readonly #redis: RedisClient;
  readonly #guard: EmptyStoreGuard;
  readonly #names = new SharedStrings(10_000);

  constructor(redis: RedisClient, guard: EmptyStoreGuard) {
    this.#redis = redis;
    this.#guard = guard;
  }

  async read(key: string, limit: number): Promise<CachedRead<FeatureSet>> {
    const at = this.#redis.asOf();
    // SRANDMEMBER with a count returns the whole set if it has at most that many members.
    const read = () => Promise.all([this.#redis.srandmemberBuffer(key, limit + 1), this.#redis.pttl(key)]);
    const [members, ttl] = await this.#guard
      .watch(read, ([found]) => found.length > 0)
      .catch((error) => redisFault(error, key));
    if (members.length > limit) {
      throw new StoreDataInvalid(`the set ${key} has more than ${limit} members; raise maxMembers, or split it`);
    }
    const features: string[] = [];
    for (const member of members) {
      if (member.length > 4 * longestServedKey || !isUtf8(member)) continue;
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
