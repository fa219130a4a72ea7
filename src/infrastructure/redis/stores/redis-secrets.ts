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

  async read(name: string, initial: Uint8Array = randomBytes(secretBytes)): Promise<Uint8Array> {
    const key = secretKey(name);
    try {
      const stored = (await this.#redis.get(key)) ?? (await this.#create(key, initial));
      return Buffer.from(stored, "base64url");
    } catch (error) {
      return redisFault(error as Error, key);
    }
  }

  async replace(name: string, secret: Uint8Array): Promise<void> {
    const key = secretKey(name);
    await this.#redis.set(key, textOf(secret)).catch((error) => redisFault(error, key));
  }

  /** Creates the secret, unless another process did meanwhile. */
  async #create(key: string, initial: Uint8Array): Promise<string> {
    const secret = textOf(initial);
    await this.#redis.set(key, secret, "NX");
    return (await this.#redis.get(key)) ?? secret;
  }
}

const textOf = (secret: Uint8Array): string => Buffer.from(secret).toString("base64url");
