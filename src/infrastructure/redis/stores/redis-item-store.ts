import { randomUUID } from "node:crypto";
import type { Redis } from "ioredis";
import type { ItemStore } from "../../../domain/feeds/item-store.ts";
import { redisFault } from "../redis-fault.ts";
import { itemKeys } from "../redis-keys.ts";
import { Script } from "../script.ts";

const putScript = new Script("put-items");
const sinceScript = new Script("items-since", "no-writes");

/**
 * Item store in Redis: a hash of items by id, a sorted set of their ids by revision, and a hash for the state of the
 * whole.
 */
export function redisItemStore(redis: Redis): ItemStore {
  async function run(script: Script, feed: string, values: readonly (string | number)[]): Promise<unknown> {
    const { items, order, head } = itemKeys(feed);
    return script.run(redis, [items, order, head], values).catch((error) => redisFault(error, items));
  }

  return {
    async put(feed, items) {
      const values = items.flatMap((item) => [item.id, JSON.stringify(item)]);
      await run(putScript, feed, [randomUUID(), ...values]);
    },
    async since(feed, revision, limit) {
      const request = [revision?.epoch ?? "", revision?.number ?? 0, limit];
      const reply = (await run(sinceScript, feed, request)) as [string | null, string, string | null, string[]];
      const [epoch, number, state, values] = reply;
      return {
        items: values.map((value) => JSON.parse(value)),
        revision: epoch === null ? undefined : { epoch, number: Number(number) },
        state: state === null ? undefined : JSON.parse(state),
      };
    },
    async saveState(feed, state) {
      const { head } = itemKeys(feed);
      await redis.hset(head, "state", JSON.stringify(state)).catch((error) => redisFault(error, head));
    },
  };
}
