import sql from "sql-template-tag";
import type { Database } from "../database/database.ts";
import { type EventRow, eventIn } from "../log/event-row.ts";
import { lockedHead, startOf } from "../log/writer.ts";
import { fold } from "./fold.ts";

const eventsAtOnce = 1_000;

/** Rebuilds the tables derived from `events`. Keeps rows whose events retention has removed. */
export async function rebuild(database: Database): Promise<void> {
  await database.transaction(async (transaction) => {
    await lockedHead(transaction);
    const start = await startOf(transaction);
    await transaction.query(sql`delete from set_states where position > ${start}`);
    await transaction.query(sql`delete from turns where position > ${start}`);
    await transaction.query(sql`delete from spans`);
    await transaction.query(sql`delete from members`);
    // Retention keeps the changes that set the state of a feature at the end of the removed range.
    await transaction.query(sql`
      insert into members (set_id, feature) select set_id, feature from turns where set_id is not null`);
    await transaction.query(sql`delete from sets where id not in (select set_id from set_states)`);
    await transaction.query(sql`
      update sets set position = (select max(position) from set_states where set_id = sets.id)`);
    let after = start;
    while (true) {
      const rows = await transaction.query<EventRow>(
        sql`select * from events where position > ${after} order by position limit ${eventsAtOnce}`,
      );
      if (rows.length === 0) return;
      await fold(transaction, rows.map(eventIn));
      after = rows.at(-1)?.position ?? after;
    }
  });
}
