import sql, { raw } from "sql-template-tag";
import type { Instant } from "../../../domain/evaluation/evaluation-context.ts";
import type { LogHead } from "../../../domain/events/event.ts";
import type { Database, Transaction } from "../database/database.ts";
import { removeUnusedTexts } from "../database/indexed-text.ts";
import { spanLength } from "../history/spans.ts";
import { lockedHead, startOf } from "./writer.ts";

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
    const some = await database.transaction((transaction) => removeSome(transaction, last.position));
    removed += some;
    if (some === 0) break;
  }
  await database.transaction(async (transaction) => {
    // Appends write texts that they may find here.
    await lockedHead(transaction);
    await removeUnusedTexts(transaction);
  });
  return removed;
}

/** Finds the last event to be removed, if any. One statement, because of concurrent appends. */
async function lastBefore(database: Database, before: Instant): Promise<LogHead | undefined> {
  const time = new Date(before);
  const [last] = await database.query<LogHead>(sql`
    select position, hash from events
    where position < coalesce(
      (
        select position from events
        where created_at >= ${time} and position > (select min(start) from spans where latest >= ${time})
        order by position limit 1
      ),
      ${raw(String(Number.MAX_SAFE_INTEGER))})
    order by position desc limit 1`);
  return last;
}

async function removeSome(transaction: Transaction, upTo: number): Promise<number> {
  await lockedHead(transaction);
  const start = await startOf(transaction);
  const end = Math.min(start + eventsAtOnce, upTo);
  if (end <= start) return 0;
  await keepDocuments(transaction, start, end);
  await keepSets(transaction, start, end);
  await transaction.query(sql`
    update chain set start_position = ${end}, start_hash = (select hash from events where position = ${end})`);
  await transaction.query(sql`delete from events where position <= ${end}`);
  await transaction.query(sql`delete from spans where start <= ${end - spanLength}`);
  return end - start;
}

/** Keeps the last record of each document among the removed events. */
async function keepDocuments(transaction: Transaction, start: number, end: number): Promise<void> {
  await transaction.query(sql`
    insert into kept_documents (store, key, created_at, record)
    select store, key, created_at, record from events
    where position in (
      select max(position) from events
      where kind = 'document' and position > ${start} and position <= ${end}
      group by store, key
    )
    on conflict (store, key) do update set created_at = excluded.created_at, record = excluded.record`);
}

/** Keeps, of the removed events of each set, its last state and the features in it at that point. */
async function keepSets(transaction: Transaction, start: number, end: number): Promise<void> {
  await transaction.query(sql`
    delete from set_states where position in (
      select earlier.position
      from (
        select set_id, max(position) as position from set_states
        where position > ${start} and position <= ${end} group by set_id
      ) as last
      join set_states as earlier on earlier.set_id = last.set_id and earlier.position < last.position
    )`);
  await transaction.query(sql`
    delete from turns where (position, feature) in (
      select earlier.position, earlier.feature
      from (
        select set_id, feature, max(position) as position from turns
        where position > ${start} and position <= ${end} and set_id is not null group by set_id, feature
      ) as last
      join turns as earlier
        on earlier.set_id = last.set_id and earlier.feature = last.feature and earlier.position < last.position
    )`);
  await transaction.query(sql`
    delete from turns
    where position > ${start} and position <= ${end} and (set_id is null or is_on = ${false})`);
}
