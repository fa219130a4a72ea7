import sql from "sql-template-tag";
import type { Event, EventFilter } from "../../../domain/events/event.ts";
import type { Database, Transaction } from "../database/database.ts";
import { insertInto } from "../database/insert-into.ts";

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
  const [span] = await database.query<{ first: number; last: number }>(sql`
    select min(start) as first, max(start) as last from spans
    where ${from === undefined ? sql`true` : sql`latest >= ${new Date(from)}`}
      and ${to === undefined ? sql`true` : sql`earliest < ${new Date(to)}`}
    having count(*) > 0`);
  return span ? { after: span.first, before: span.last + spanLength + 1 } : { after: 0, before: 0 };
}

/** Widens the spans of the events to include their times. */
export async function foldSpans(transaction: Transaction, events: readonly Event[]): Promise<void> {
  const spans = new Map<number, { readonly earliest: number; readonly latest: number }>();
  for (const { position, at } of events) {
    const start = position - 1 - ((position - 1) % spanLength);
    const { earliest, latest } = spans.get(start) ?? { earliest: at, latest: at };
    spans.set(start, { earliest: Math.min(earliest, at), latest: Math.max(latest, at) });
  }
  if (spans.size === 0) return;
  const rows = [...spans].map(([start, { earliest, latest }]) => ({
    start,
    earliest: new Date(earliest),
    latest: new Date(latest),
  }));
  await transaction.query(sql`${insertInto("spans", rows)}
    on conflict (start) do update set
      earliest = case when excluded.earliest < spans.earliest then excluded.earliest else spans.earliest end,
      latest = case when excluded.latest > spans.latest then excluded.latest else spans.latest end`);
}
