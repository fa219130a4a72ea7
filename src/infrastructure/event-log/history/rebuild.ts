import type { Database } from "../database/database.ts";
import { eventIn } from "../log/event-row.ts";
import { lockedHead } from "../log/writer.ts";
import { fold } from "./fold.ts";

const eventsAtOnce = 1_000;

/** Rebuilds the tables beside `events`. Rows that retention left there, whose events are gone, are kept. */
export async function rebuild(database: Database): Promise<void> {
  await database.transaction().execute(async (transaction) => {
    await lockedHead(transaction);
    const { start_position: start } = await transaction
      .selectFrom("chain")
      .select("start_position")
      .executeTakeFirstOrThrow();
    for (const table of ["set_states", "turns"] as const) {
      await transaction.deleteFrom(table).where("position", ">", start).execute();
    }
    await transaction.deleteFrom("spans").execute();
    await transaction.deleteFrom("members").execute();
    // Retention keeps the changes that set the state of a feature at the end of the removed range.
    await transaction
      .insertInto("members")
      .columns(["set_id", "feature"])
      .expression((eb) =>
        eb
          .selectFrom("turns")
          .select(["set_id", "feature"])
          .where("set_id", "is not", null)
          .$narrowType<{ set_id: number }>(),
      )
      .execute();
    await transaction
      .deleteFrom("sets")
      .where("id", "not in", (eb) => eb.selectFrom("set_states").select("set_id"))
      .execute();
    await transaction
      .updateTable("sets")
      .set((eb) => ({
        position: eb
          .selectFrom("set_states")
          .whereRef("set_id", "=", "sets.id")
          .select(({ fn }) => fn.max("set_states.position").as("position")),
      }))
      .execute();
    let after = start;
    while (true) {
      const rows = await transaction
        .selectFrom("events")
        .selectAll()
        .where("position", ">", after)
        .orderBy("position")
        .limit(eventsAtOnce)
        .execute();
      if (rows.length === 0) return;
      await fold(transaction, rows.map(eventIn));
      after = rows.at(-1)?.position ?? after;
    }
  });
}
