import type { Redis } from "ioredis";
import type { Batch, BatchResult } from "../../../domain/admin/batch.ts";
import { isErrorReply, redisFault } from "../redis-fault.ts";
import { loadKey } from "../redis-keys.ts";
import { Script } from "../script.ts";

/** Reply of a script that loads new items: the position of the load and the number of records, or the items it met. */
export type LoadReply = readonly ["at", position: string, records: number] | readonly ["met", ...positions: number[]];

const advance = new Script("advance-load");

type Steps<Item> = {
  /** The name of an item in a fault that names no key. */
  readonly name: string;
  /** Creates new items and stores the position, atomically. Omitted if a load creates none. */
  readonly create?: (items: readonly Item[]) => Promise<LoadReply>;
  /**
   * Changes existing items, each with its record, but for those that need no change. Returns the number of records.
   * Checks all items before the first change.
   */
  readonly change: (items: readonly Item[]) => Promise<number>;
};

/**
 * Loads a batch: creates the items in `news` together, and changes the others one by one, in one round trip. The
 * position is stored with the new items, after the others are changed, so a batch that was interrupted is completed
 * when it is loaded again. In a cluster, where one script cannot contain all keys, no item is created together.
 */
export async function loadBatch<Item>(
  redis: Redis,
  batch: Batch<Item>,
  added: readonly Item[],
  { name, create, change }: Steps<Item>,
): Promise<BatchResult> {
  const key = loadKey(batch.load);
  const advanced = async (to: number | "") =>
    String(await advance.run(redis, [key], [batch.from, to]).catch((error) => redisFault(error, key)));
  let fresh = added;
  let others = [...new Set(batch.items).difference(new Set(added))];
  let changed = 0;
  while (true) {
    if (others.length > 0) {
      const position = Number(await advanced(""));
      if (position !== batch.from) return { position, records: 0 };
      changed += await change(others);
    }
    if (!create || fresh.length === 0) return { position: Number(await advanced(batch.to)), records: changed };
    const reply = await create(fresh).catch(crossing(fresh, name));
    if (reply[0] === "at") return { position: Number(reply[1]), records: changed + reply[2] };
    const met = new Set(reply.slice(1).map((position) => fresh[Number(position) - 1]));
    others = fresh.filter((item) => met.has(item));
    fresh = fresh.filter((item) => !met.has(item));
  }
}

/** Reports all items as met if their keys are in several slots of a cluster. */
const crossing =
  (items: readonly unknown[], name: string) =>
  (error: Error): LoadReply => {
    if (isErrorReply(error, "CROSSSLOT")) return ["met", ...items.map((_, index) => index + 1)];
    return redisFault(error, name);
  };
