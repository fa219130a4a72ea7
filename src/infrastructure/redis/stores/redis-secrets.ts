import { randomBytes } from "node:crypto";
import { type Secrets, secretBytes } from "../../../domain/streams/secrets.ts";
import type { RedisClient } from "../redis-client.ts";
import { redisFault } from "../redis-fault.ts";
import { secretKey } from "../redis-keys.ts";

/** Secrets in Redis: one string per name. */
export class RedisSecrets implements Secrets {
  readonly #redis: RedisClient;

  constructor(redis: RedisClient) {
    this.#redis = redis;
  }

  async read(name: string): Promise<Uint8Array> {
    const key = secretKey(name);
    try {
      const stored = (await this.#redis.get(key)) ?? (await this.#create(key));
      return Buffer.from(stored, "base64url");
    } catch (error) {
      return redisFault(error as Error, key);
    }
  }

  /** Creates the secret, unless another process did meanwhile. */
  async #create(key: string): Promise<string> {
    const secret = randomBytes(secretBytes).toString("base64url");
    await this.#redis.set(key, secret, "NX");
    return (await this.#redis.get(key)) ?? secret;
  }
}
