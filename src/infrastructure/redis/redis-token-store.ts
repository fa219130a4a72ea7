import type { Redis } from "ioredis";
import type { UserId } from "../../domain/evaluation-context.ts";
import type { TokenStore } from "../../domain/token-store.ts";
import type { TokenKey } from "../token-key.ts";
import { redisFault } from "./redis-fault.ts";

/** Keeps tokens in Redis: one string a token, holding the user id. */
export class RedisTokenStore implements TokenStore {
  readonly #redis: Redis;
  readonly #keyOf: TokenKey;

  constructor(redis: Redis, keyOf: TokenKey) {
    this.#redis = redis;
    this.#keyOf = keyOf;
  }

  async assign(token: string, userId: UserId): Promise<UserId | undefined> {
    return (await this.#redis.set(this.#keyOf(token), userId, "GET").catch(redisFault)) ?? undefined;
  }

  async revoke(token: string): Promise<UserId | undefined> {
    return (await this.#redis.getdel(this.#keyOf(token)).catch(redisFault)) ?? undefined;
  }
}
