import { randomUUID } from "node:crypto";
import type { Redis } from "ioredis";
import type { Lease } from "../../domain/events/lease.ts";
import { redisFault } from "./redis-fault.ts";
import { leaseKey } from "./redis-keys.ts";
import { Script } from "./script.ts";

const leaseMs = 3_000;

/** Works also when Redis is full: the holder of the lease frees memory. */
const holdScript = new Script("hold-lease", "allow-oom");
const releaseScript = new Script("release-lease", "allow-oom");

/** A lease in Redis. */
export function redisLease(redis: Redis, name: string): Lease {
  const key = leaseKey(name);
  const holder = randomUUID();

  return {
    async hold(forMs = leaseMs) {
      const acquired = holdScript.run(redis, [key], [holder, forMs]);
      return (await acquired.catch((error) => redisFault(error, key))) === 1;
    },
    async release() {
      await releaseScript.run(redis, [key], [holder]).catch((error) => redisFault(error, key));
    },
  };
}
