import { sql, type Transaction } from "kysely";
import type { Instant } from "../../../domain/evaluation/evaluation-context.ts";
import type { LogHead } from "../../../domain/events/event.ts";
import type { Database } from "../database/database.ts";
import { removeUnusedTexts } from "../database/indexed-text.ts";
import { instant, type Tables } from "../database/tables.ts";
import { spanLength } from "../history/spans.ts";
import { lockedHead } from "./writer.ts";

/** Events removed per transaction. Appends wait for it. */
const eventsAtOnce = 1_000;

/**
 * Removes events from the beginning of a log, up to the first that is not before an instant. Reports the new beginning
 * first.
 */
export async function expire(
  database: Database,
  before: Instant,
  appendEvent: (last: LogHead) => Promise<unknown>,
): Promise<number> {
  const last = await lastBefore(database, before);
  if (!last) return 0;
  await appendEvent(last);
  let removed = 0;
  while (true) {
    const some = await database.transaction().execute((transaction) => removeSome(transaction, last.position));
    removed += some;
    if (some === 0) break;
  }
  await database.transaction().execute(async (transaction) => {
    // Appends write texts that they may find here.
    await lockedHead(transaction);
    await removeUnusedTexts(transaction);
  });
  return removed;
}

/** Finds the last event to be removed, if any. One statement, because of concurrent appends. */
function lastBefore(database: Database, before: Instant): Promise<LogHead | undefined> {
  const firstSpan = database
    .selectFrom("spans")
    .where("latest", ">=", instant(before))
    .select(({ fn }) => fn.min("start").as("start"));
  const firstKept = database
    .selectFrom("events")
    .where("created_at", ">=", instant(before))
    .where("position", ">", firstSpan)
    .orderBy("position")
    .limit(1)
    .select("position");
  return database
    .selectFrom("events")
    .where("position", "<", ({ fn }) => fn.coalesce(firstKept, sql.lit(Number.MAX_SAFE_INTEGER)))
    .orderBy("position", "desc")
    .limit(1)
    .select(["position", "hash"])
    .executeTakeFirst();
}

async function removeSome(transaction: Transaction<Tables>, upTo: number): Promise<number> {
  await lockedHead(transaction);
  const { start_position: start } = await transaction
    .selectFrom("chain")
    .select("start_position")
    .executeTakeFirstOrThrow();
  const end = Math.min(start + eventsAtOnce, upTo);
  if (end <= start) return 0;
  await keepDocuments(transaction, start, end);
  await keepSets(transaction, start, end);
  const { hash } = await transaction
    .selectFrom("events")
    .where("position", "=", end)
    .select("hash")
    .executeTakeFirstOrThrow();
  await transaction.deleteFrom("events").where("position", "<=", end).execute();
  await transaction
    .deleteFrom("spans")
    .where("start", "<=", end - spanLength)
    .execute();
  await transaction.updateTable("chain").set({ start_position: end, start_hash: hash }).execute();
  return end - start;
}

/** Keeps the last record of each document among the removed events. */
async function keepDocuments(transaction: Transaction<Tables>, start: number, end: number): Promise<void> {
  const documents = await transaction
    .selectFrom("events")
    .where("kind", "=", "document")
    .where("position", ">", start)
    .where("position", "<=", end)
    .orderBy("position")
    .select(["store", "key", "created_at", "record"])
    .execute();
  const last = new Map(documents.map((row) => [`${row.store}\n${row.key}`, row]));
  for (const { store, key, created_at, record } of last.values()) {
    if (store === null || key === null || record === null) continue;
    const kept = { created_at: instant(created_at), record };
    await transaction
      .insertInto("kept_documents")
      .values({ store, key, ...kept })
      .onConflict((conflict) => conflict.columns(["store", "key"]).doUpdateSet(kept))
      .execute();
  }
}

/** Keeps, of the removed events of each set, its last state and the features in it at that point. */
async function keepSets(transaction: Transaction<Tables>, start: number, end: number): Promise<void> {
  await sql`
    delete from set_states where position in (
      select earlier.position
      from (
        select set_id, max(position) as position from set_states
        where position > ${start} and position <= ${end} group by set_id
      ) as last
      join set_states as earlier on earlier.set_id = last.set_id and earlier.position < last.position
    )`.execute(transaction);
  await sql`
    delete from turns where (position, feature) in (
      select earlier.position, earlier.feature
      from (
        select set_id, feature, max(position) as position from turns
        where position > ${start} and position <= ${end} and set_id is not null group by set_id, feature
      ) as last
      join turns as earlier
        on earlier.set_id = last.set_id and earlier.feature = last.feature and earlier.position < last.position
    )`.execute(transaction);
  await sql`
    delete from turns
    where position > ${start} and position <= ${end} and (set_id is null or is_on = ${false})`.execute(transaction);
}
