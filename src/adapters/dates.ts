import { z } from "zod";
import type { SearchBound } from "../application/feeds/search-items.ts";
import type { Instant } from "../domain/evaluation/evaluation-context.ts";
import { dayMs, instantOf, type TimeZone } from "../domain/targeting/wall-clock.ts";

const zoned = z.iso.datetime({ offset: true });
const local = z.iso.datetime({ local: true });
const day = z.iso.date();
const dayLength = 10;

/** The accepted formats of dates and times, for messages. */
export const dateForms =
  "2021-04-16, 04-16-2021, or 2021-04-16T09:30:00 with Z, an offset, or neither for the zone server.timeZone";

/** Parses a date or time; `undefined` if invalid. A time without an offset is in `zone`. */
export function writtenDate(text: string, zone: TimeZone): SearchBound | undefined {
  // Compares the length first, because a schema is slow to reject a text.
  if (text.length === dayLength) {
    const date = text.replace(/^(\d\d-\d\d)-(\d{4})$/, "$2-$1");
    return day.safeParse(date).success ? { date } : undefined;
  }
  if (zoned.safeParse(text).success) return { at: Date.parse(text) };
  return local.safeParse(text).success ? { at: instantOf(Date.parse(`${text}Z`), zone) } : undefined;
}

/** The instant in a text, or the start of the day in a text. Days are in `zone`. */
export const startOf = (text: string, zone: TimeZone): Instant | undefined => boundOf(text, zone, 0);

/** The instant in a text, or the end of the day in a text. Days are in `zone`. */
export const endOf = (text: string, zone: TimeZone): Instant | undefined => boundOf(text, zone, dayMs);

function boundOf(text: string, zone: TimeZone, afterMs: number): Instant | undefined {
  const written = writtenDate(text, zone);
  if (!written || "at" in written) return written?.at;
  return instantOf(Date.parse(`${written.date}T00:00:00Z`) + afterMs, zone);
}
