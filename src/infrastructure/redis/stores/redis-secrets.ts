import { randomBytes } from "node:crypto";
import { type Secrets, secretBytes } from "../../../domain/admin/secrets.ts";
import type { RedisClient } from "../redis-client.ts";
import { redisFault } from "../redis-fault.ts";
import { secretKey } from "../redis-keys.ts";

/** Secrets in Redis: one string per name. */
export function redisSecrets(redis: RedisClient): Secrets {
  /** Creates the secret, unless another process did meanwhile. */
  async function create(key: string, initial: Uint8Array): Promise<string> {
    const secret = textOf(initial);
    await redis.set(key, secret, "NX");
    return (await redis.get(key)) ?? secret;
  }

  return {
    async read(name, initial = randomBytes(secretBytes)) {
      const key = secretKey(name);
      try {
        const stored = (await redis.get(key)) ?? (await create(key, initial));
        return Buffer.from(stored, "base64url");
      } catch (error) {
        return redisFault(error as Error, key);
      }
    },
    async replace(name, secret) {
      const key = secretKey(name);
      await redis.set(key, textOf(secret)).catch((error) => redisFault(error, key));
    },
  };
}

const textOf = (secret: Uint8Array): string => Buffer.from(secret).toString("base64url");
