import { type CachedRead, uncachedRead } from "../../../domain/evaluation/cached-read.ts";
import type { UserId } from "../../../domain/evaluation/evaluation-context.ts";
import { isToken } from "../../../domain/evaluation/token.ts";
import type { TokenResolver } from "../../../domain/evaluation/token-resolver.ts";
import { storedUser } from "../../stored-user.ts";
import type { TokenKeyDerivation } from "../../token-key.ts";
import type { EmptyStoreGuard } from "../empty-store-guard.ts";
import { expiry } from "../expiry.ts";
import type { RedisClient } from "../redis-client.ts";
import { redisFault } from "../redis-fault.ts";

/** Token resolver in Redis: one string per token, which contains the user id. */
export class RedisTokenResolver implements TokenResolver {
  readonly #redis: RedisClient;
  readonly #keyOf: TokenKeyDerivation;
  readonly #guard: EmptyStoreGuard;

  constructor(redis: RedisClient, keyOf: TokenKeyDerivation, guard: EmptyStoreGuard) {
    this.#redis = redis;
    this.#keyOf = keyOf;
    this.#guard = guard;
  }

  async resolve(token: string): Promise<CachedRead<UserId | undefined>> {
    const at = this.#redis.asOf();
    if (!isToken(token)) return uncachedRead(undefined, at);
    const key = this.#keyOf(token);
    const read = () => Promise.all([this.#redis.get(key), this.#redis.pttl(key)]);
    const [userId, ttl] = await this.#guard
      .watch(read, ([found]) => found !== null)
      .catch((error) => redisFault(error));
    return uncachedRead(userId === null ? undefined : storedUser(userId), at, expiry(at, ttl));
  }
}
