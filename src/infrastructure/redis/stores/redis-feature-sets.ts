import { StoreDataInvalid } from "../../../domain/errors.ts";
import { uncachedRead } from "../../../domain/evaluation/cached-read.ts";
import { type FeatureKey, isServedKey } from "../../../domain/evaluation/feature.ts";
import type { FeatureSets } from "../../../domain/evaluation/feature-sets.ts";
import { SharedStrings } from "../../cache/shared-strings.ts";
import { expiry } from "../expiry.ts";
import type { RedisReads } from "./redis-reads.ts";

/** Reads Redis sets. */
export function redisFeatureSets(reads: RedisReads): FeatureSets {
  const names = new SharedStrings(10_000);

  /** The key as one string that all sets share. `undefined` if the member is not servable. */
  function servedKey(member: string): FeatureKey | undefined {
    return names.get(member) ?? (isServedKey(member) ? names.add(member) : undefined);
  }

  return {
    read(key, limit) {
      // One more than the limit, to detect larger sets.
      return reads.members(key, limit + 1, ({ texts, count }, ttl, at) => {
        if (count > limit) {
          throw new StoreDataInvalid(`the set ${key} has more than ${limit} members; raise maxMembers, or split it`);
        }
        // In place: the near cache holds the array of each user, so it must have no spare capacity.
        let length = 0;
        for (const text of texts) {
          const feature = servedKey(text);
          if (feature !== undefined) texts[length++] = feature;
        }
        texts.length = length;
        return uncachedRead({ features: texts, invalidMembers: count - length }, at, expiry(at, ttl));
      });
    },
  };
}
