import { randomUUID } from "node:crypto";
import type { Redis } from "ioredis";
import type { Lease } from "../../domain/admin/lease.ts";
import { redisFault } from "./redis-fault.ts";
import { Script } from "./script.ts";

const leaseMs = 3_000;

/** Works also when Redis is full: the holder of the lease frees memory. */
const holdScript = new Script("hold-lease", "allow-oom");
const releaseScript = new Script("release-lease", "allow-oom");

/** A lease in Redis. */
export class RedisLease implements Lease {
  readonly #redis: Redis;
  readonly #key: string;
  readonly #holder = randomUUID();

  constructor(redis: Redis, name: string) {
    this.#redis = redis;
    this.#key = `tidegate:lease:${name}`;
  }

  async hold(forMs = leaseMs): Promise<boolean> {
    const acquired = holdScript.run(this.#redis, [this.#key], [this.#holder, forMs]);
    return (await acquired.catch((error) => redisFault(error, this.#key))) === 1;
  }

  async release(): Promise<void> {
    await releaseScript.run(this.#redis, [this.#key], [this.#holder]).catch((error) => redisFault(error, this.#key));
  }
}
