import type { Redis } from "ioredis";
import type { IdempotencyKeys } from "../../../domain/admin/idempotency-keys.ts";
import { redisFault } from "../redis-fault.ts";
import { claimKey } from "../redis-keys.ts";
import { Script } from "../script.ts";

/** Slightly longer than the responses of changes are kept, so that no response is returned for another request. */
const keptSeconds = 90_000;

/** Works also when Redis is full, as kill switches do. */
const claimScript = new Script("claim-idempotency-key", "allow-oom");

/** Idempotency keys in Redis: one string per key. */
export function redisIdempotencyKeys(redis: Redis): IdempotencyKeys {
  return {
    async claim(name, purpose) {
      const key = claimKey(name);
      const stored = await claimScript
        .run(redis, [key], [purpose, keptSeconds])
        .catch((error) => redisFault(error, key));
      return stored === purpose;
    },
    async purposeOf(name) {
      const key = claimKey(name);
      return (await redis.get(key).catch((error) => redisFault(error, key))) ?? undefined;
    },
  };
}
