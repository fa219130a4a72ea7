import { type CachedRead, uncachedRead } from "../../../domain/evaluation/cached-read.ts";
import type { Instant, UserId } from "../../../domain/evaluation/evaluation-context.ts";
import { isToken } from "../../../domain/evaluation/token.ts";
import type { TokenResolver } from "../../../domain/evaluation/token-resolver.ts";
import { storedUser } from "../../stores/stored-user.ts";
import type { TokenKeyDerivation } from "../../token-key.ts";
import { expiry } from "../expiry.ts";
import type { RedisClient } from "../redis-client.ts";
import type { RedisReads } from "./redis-reads.ts";

/** Token resolver in Redis: one string per token, which contains the user id. */
export function redisTokenResolver(redis: RedisClient, keyOf: TokenKeyDerivation, reads: RedisReads): TokenResolver {
  const resolveKey = (key: string) => reads.string(key, userRead);
  return {
    keyOf,
    resolveKey,
    resolve: async (token) => (isToken(token) ? resolveKey(keyOf(token)) : uncachedRead(undefined, redis.asOf())),
  };
}

const userRead = (userId: Buffer | null, ttl: number, at: Instant): CachedRead<UserId | undefined> =>
  uncachedRead(userId === null ? undefined : storedUser(userId.toString()), at, expiry(at, ttl));
