import { randomUUID } from "node:crypto";
import type { Redis } from "ioredis";
import type { Revision } from "../../../domain/admin/change.ts";
import type { KnownItem, PollState } from "../../../domain/feeds/item.ts";
import type { ItemChanges, ItemStore } from "../../../domain/feeds/item-store.ts";
import { redisFault } from "../redis-fault.ts";
import { itemKeys } from "../redis-keys.ts";
import { Script } from "../script.ts";

const putScript = new Script("put-items");
const sinceScript = new Script("items-since", "no-writes");

/**
 * Item store in Redis: a hash of items by id, a sorted set of their ids by revision, and a hash for the state of the
 * whole.
 */
export class RedisItemStore implements ItemStore {
  readonly #redis: Redis;

  constructor(redis: Redis) {
    this.#redis = redis;
  }

  async put(feed: string, items: readonly KnownItem[]): Promise<void> {
    const values = items.flatMap((item) => [item.id, JSON.stringify(item)]);
    await this.#run(putScript, feed, [randomUUID(), ...values]);
  }

  async since(feed: string, revision: Revision | undefined, limit: number): Promise<ItemChanges> {
    const request = [revision?.epoch ?? "", revision?.number ?? 0, limit];
    const reply = (await this.#run(sinceScript, feed, request)) as [string | null, string, string | null, string[]];
    const [epoch, number, state, values] = reply;
    return {
      items: values.map((value) => JSON.parse(value)),
      revision: epoch === null ? undefined : { epoch, number: Number(number) },
      state: state === null ? undefined : JSON.parse(state),
    };
  }

  async saveState(feed: string, state: PollState): Promise<void> {
    const { head } = itemKeys(feed);
    await this.#redis.hset(head, "state", JSON.stringify(state)).catch((error) => redisFault(error, head));
  }

  async #run(script: Script, feed: string, values: readonly (string | number)[]): Promise<unknown> {
    const { items, order, head } = itemKeys(feed);
    return script.run(this.#redis, [items, order, head], values).catch((error) => redisFault(error, items));
  }
}
