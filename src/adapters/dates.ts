import { z } from "zod";
import type { Instant } from "../domain/evaluation/evaluation-context.ts";
import { dayMs, instantOf, type TimeZone } from "../domain/targeting/wall-clock.ts";

const zoned = z.iso.datetime({ offset: true });
const local = z.iso.datetime({ local: true });
const day = z.iso.date();
const dayLength = 10;

/** How a date or a time is written. */
export const dateForms =
  "2021-04-16, 04-16-2021, or 2021-04-16T09:30:00 with Z, an offset, or neither for the zone server.timeZone";

/** What a text says: an instant, or a day in the form 2021-04-16. */
export type WrittenDate = { readonly at: Instant } | { readonly date: string };

/** The date or time that is written; `undefined` if it is neither. A time without offset is one of the zone. */
export function writtenDate(text: string, zone: TimeZone): WrittenDate | undefined {
  // The length tells first, since a schema takes long to find that a text does not fit.
  if (text.length === dayLength) {
    const date = text.replace(/^(\d\d-\d\d)-(\d{4})$/, "$2-$1");
    return day.safeParse(date).success ? { date } : undefined;
  }
  if (zoned.safeParse(text).success) return { at: Date.parse(text) };
  return local.safeParse(text).success ? { at: instantOf(Date.parse(`${text}Z`), zone) } : undefined;
}

/** The instant that is written, or at which the day that is written begins in the zone. */
export const startOf = (text: string, zone: TimeZone): Instant | undefined => boundOf(text, zone, 0);

/** The instant that is written, or at which the day that is written ends in the zone. */
export const endOf = (text: string, zone: TimeZone): Instant | undefined => boundOf(text, zone, dayMs);

function boundOf(text: string, zone: TimeZone, afterMs: number): Instant | undefined {
  const written = writtenDate(text, zone);
  if (!written || "at" in written) return written?.at;
  return instantOf(Date.parse(`${written.date}T00:00:00Z`) + afterMs, zone);
}
