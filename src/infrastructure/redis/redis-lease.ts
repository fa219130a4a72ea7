import { randomUUID } from "node:crypto";
import type { Redis } from "ioredis";
import type { Lease } from "../../domain/admin/lease.ts";
import { redisFault } from "./redis-fault.ts";
import { Script } from "./scripts/script.ts";

const leaseMs = 3_000;

/** Works also when Redis is full: the holder of the lease frees memory. */
const takeOrRenew = new Script(
  `
local holder = redis.call("GET", KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call("SET", KEYS[1], ARGV[1], "PX", ARGV[2])
return 1`,
  "allow-oom",
);

const giveUp = new Script(`if redis.call("GET", KEYS[1]) == ARGV[1] then redis.call("DEL", KEYS[1]) end`, "allow-oom");

/** A lease in Redis that expires after 3 s. */
export class RedisLease implements Lease {
  readonly #redis: Redis;
  readonly #key: string;
  readonly #holder = randomUUID();

  constructor(redis: Redis, name: string) {
    this.#redis = redis;
    this.#key = `tidegate:lease:${name}`;
  }

  async hold(): Promise<boolean> {
    const taken = takeOrRenew.run(this.#redis, [this.#key], [this.#holder, leaseMs]);
    return (await taken.catch((error) => redisFault(error, this.#key))) === 1;
  }

  async release(): Promise<void> {
    await giveUp.run(this.#redis, [this.#key], [this.#holder]).catch((error) => redisFault(error, this.#key));
  }
}
