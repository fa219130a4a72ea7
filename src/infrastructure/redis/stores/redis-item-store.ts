import { randomUUID } from "node:crypto";
import type { Redis } from "ioredis";
import type { Revision } from "../../../domain/admin/change.ts";
import type { KnownItem, PollState } from "../../../domain/feeds/item.ts";
import type { ItemChanges, ItemStore } from "../../../domain/feeds/item-store.ts";
import { redisFault } from "../redis-fault.ts";
import { itemKeys } from "../redis-keys.ts";
import { Script } from "../scripts/script.ts";

const putScript = new Script(`
demand(KEYS[3], "HSETNX", KEYS[3], "epoch", "")
demand(KEYS[3], "HINCRBY", KEYS[3], "number", 1)
demand(KEYS[1], "HSET", KEYS[1], "", "")
demand(KEYS[2], "ZADD", KEYS[2], 0, "")
for _, hash in ipairs({KEYS[1], KEYS[3]}) do demand(hash, "HLEN", hash) end
demand(KEYS[2], "ZCARD", KEYS[2])
typed("HLEN", KEYS[1])
typed("ZCARD", KEYS[2])
typed("HLEN", KEYS[3])
redis.call("HSETNX", KEYS[3], "epoch", ARGV[1])
for place = 2, #ARGV, 2 do
  redis.call("HSET", KEYS[1], ARGV[place], ARGV[place + 1])
  redis.call("ZADD", KEYS[2], redis.call("HINCRBY", KEYS[3], "number", 1), ARGV[place])
end`);

const sinceScript = new Script(
  `
local head = typed("HMGET", KEYS[3], "epoch", "number", "state")
local from = head[1] == ARGV[1] and ARGV[2] or "0"
local ids = typed("ZRANGEBYSCORE", KEYS[2], "(" .. from, "+inf", "LIMIT", 0, ARGV[3])
local number, values = from, {}
if #ids > 0 then
  number = redis.call("ZSCORE", KEYS[2], ids[#ids])
  values = typed("HMGET", KEYS[1], unpack(ids))
end
return {head[1], number, head[3], values}`,
  "no-writes",
);

/**
 * Item store in Redis: a hash of items by id, a sorted set of their ids by revision, and a hash for the state of the
 * whole.
 */
export class RedisItemStore implements ItemStore {
  readonly #redis: Redis;

  constructor(redis: Redis) {
    this.#redis = redis;
  }

  async put(provider: string, items: readonly KnownItem[]): Promise<void> {
    const values = items.flatMap((item) => [item.id, JSON.stringify(item)]);
    await this.#run(putScript, provider, [randomUUID(), ...values]);
  }

  async since(provider: string, revision: Revision | undefined, limit: number): Promise<ItemChanges> {
    const asked = [revision?.epoch ?? "", revision?.number ?? 0, limit];
    const reply = (await this.#run(sinceScript, provider, asked)) as [string | null, string, string | null, string[]];
    const [epoch, number, state, values] = reply;
    return {
      items: values.map((value) => JSON.parse(value)),
      revision: epoch === null ? undefined : { epoch, number: Number(number) },
      state: state === null ? undefined : JSON.parse(state),
    };
  }

  async keepState(provider: string, state: PollState): Promise<void> {
    const { head } = itemKeys(provider);
    await this.#redis.hset(head, "state", JSON.stringify(state)).catch((error) => redisFault(error, head));
  }

  async #run(script: Script, provider: string, values: readonly (string | number)[]): Promise<unknown> {
    const { items, order, head } = itemKeys(provider);
    return script.run(this.#redis, [items, order, head], values).catch((error) => redisFault(error, items));
  }
}
