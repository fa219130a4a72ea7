import type { Transaction } from "kysely";
import type { Event, EventFilter } from "../../../domain/events/event.ts";
import type { Database } from "../database/database.ts";
import { instant, type Tables } from "../database/tables.ts";

/** Positions per row of `spans`. */
export const spanLength = 1_000;

/** A range of positions, both ends exclusive. */
export type Positions = { readonly after: number; readonly before: number };

/**
 * Returns a range of positions that contains all events of a time range. Events are nearly ordered by time, so the
 * range contains few others. A separate query: with literal numbers the database plans better.
 */
export async function positionsWithin(
  database: Database,
  { from, to }: Pick<EventFilter, "from" | "to">,
): Promise<Positions> {
  if (from === undefined && to === undefined) return { after: 0, before: Number.MAX_SAFE_INTEGER };
  const { first, last } = await database
    .selectFrom("spans")
    .$if(from !== undefined, (query) => query.where("latest", ">=", instant(from ?? 0)))
    .$if(to !== undefined, (query) => query.where("earliest", "<", instant(to ?? 0)))
    .select(({ fn }) => [fn.min("start").as("first"), fn.max("start").as("last")])
    .executeTakeFirstOrThrow();
  return first === null ? { after: 0, before: 0 } : { after: first, before: last + spanLength + 1 };
}

/** Widens the spans of the events to include their times. */
export async function foldSpans(transaction: Transaction<Tables>, events: readonly Event[]): Promise<void> {
  const spans = new Map<number, { readonly earliest: number; readonly latest: number }>();
  for (const { position, at } of events) {
    const start = position - 1 - ((position - 1) % spanLength);
    const { earliest, latest } = spans.get(start) ?? { earliest: at, latest: at };
    spans.set(start, { earliest: Math.min(earliest, at), latest: Math.max(latest, at) });
  }
  if (spans.size === 0) return;
  const rows = [...spans].map(([start, { earliest, latest }]) => ({
    start,
    earliest: instant(earliest),
    latest: instant(latest),
  }));
  await transaction
    .insertInto("spans")
    .values(rows)
    .onConflict((conflict) =>
      conflict.column("start").doUpdateSet(({ case: when, ref }) => ({
        earliest: when()
          .when("excluded.earliest", "<", ref("spans.earliest"))
          .then(ref("excluded.earliest"))
          .else(ref("spans.earliest"))
          .end(),
        latest: when()
          .when("excluded.latest", ">", ref("spans.latest"))
          .then(ref("excluded.latest"))
          .else(ref("spans.latest"))
          .end(),
      })),
    )
    .execute();
}
