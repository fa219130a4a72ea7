import type { Redis } from "ioredis";
import { v7 as newId } from "uuid";
import { authorOf, type Batch, type BatchResult } from "../../../domain/admin/batch.ts";
import type { ChangeMeta } from "../../../domain/admin/change.ts";
import { isRefusal, redisFault } from "../redis-fault.ts";
import { loadKey } from "../redis-keys.ts";

/** Whether a script was refused because its keys are in several slots of a cluster. */
export const isCrossing = (error: unknown): boolean => error instanceof Error && isRefusal(error, "CROSSSLOT");

/**
 * Loads a batch where no script can have all of it. A batch that was begun and not ended is begun anew: what was done then is known
 * by its name for a day, and not done again.
 */
export async function loadOneByOne<Item>(
  redis: Redis,
  batch: Batch<Item>,
  change: (change: ChangeMeta & Item) => Promise<unknown>,
): Promise<BatchResult> {
  const { load, from, to, items } = batch;
  const key = loadKey(load);
  const failed = (error: Error) => redisFault(error, key);
  const position = Number((await redis.get(key).catch(failed)) ?? 0);
  if (position !== from) return { position, records: 0 };
  for (const item of items)
    await change({ ...authorOf(batch), id: newId(), idempotencyKey: `${load} ${from}`, ...item });
  await redis.set(key, to).catch(failed);
  return { position: to, records: items.length };
}
