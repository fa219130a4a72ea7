import type { Redis } from "ioredis";
import type { UserId } from "../../domain/evaluation-context.ts";
import { isToken } from "../../domain/token.ts";
import type { TokenResolver } from "../../domain/token-resolver.ts";
import { storedUser } from "../stored-user.ts";
import type { TokenKey } from "../token-key.ts";
import { redisFault } from "./redis-fault.ts";

/** Looks tokens up in Redis: one string a token, holding the user id. */
export class RedisTokenResolver implements TokenResolver {
  readonly #redis: Redis;
  readonly #keyOf: TokenKey;

  constructor(redis: Redis, keyOf: TokenKey) {
    this.#redis = redis;
    this.#keyOf = keyOf;
  }

  async resolve(token: string): Promise<UserId | undefined> {
    if (!isToken(token)) return undefined;
    const userId = await this.#redis.get(this.#keyOf(token)).catch(redisFault);
    return userId === null ? undefined : storedUser(userId);
  }
}
