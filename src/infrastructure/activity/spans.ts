import type { Transaction } from "kysely";
import type { Event } from "../../domain/activity.ts";
import { instant, type Tables } from "./tables.ts";

/** How many positions share a row of `spans`. */
export const spanLength = 1_000;

/** Widens the spans that events are in to their times. */
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
