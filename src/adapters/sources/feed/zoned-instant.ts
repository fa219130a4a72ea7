import { Temporal } from "temporal-polyfill";
import type { ZonedInstant } from "../../../domain/feeds/item.ts";

const dateOnly = /^\d{4}-\d{2}-\d{2}$/;
const withOffset = /T.*(Z|[+-]\d{2}:?\d{2})$/i;
const local = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?$/i;

/**
 * Parses a time in a feed: RFC 3339, a local time in `zone`, or a date, which covers its whole day: as a start it
 * counts from its first instant, as an end to its last. `undefined` for a date that does not exist, such as 2021-06-31,
 * and for any other text.
 */
export function zonedInstantOf(text: string, zone: string, isEnd: boolean): ZonedInstant | undefined {
  try {
    if (dateOnly.test(text)) {
      const date = Temporal.PlainDate.from(text);
      return { at: startOf(isEnd ? date.add({ days: 1 }) : date, zone), date: text, time: null };
    }
    if (withOffset.test(text)) return zonedAt(Temporal.Instant.from(text).toZonedDateTimeISO(zone));
    if (local.test(text)) return zonedAt(Temporal.PlainDateTime.from(text).toZonedDateTime(zone));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  return undefined;
}

const startOf = (date: Temporal.PlainDate, zone: string): number => date.toZonedDateTime(zone).epochMilliseconds;

const zonedAt = (time: Temporal.ZonedDateTime): ZonedInstant => ({
  at: time.epochMilliseconds,
  date: time.toPlainDate().toString(),
  time: time.toPlainTime().toString({ smallestUnit: "second" }),
});

/** Whether a time zone exists. */
export function isZone(name: string): boolean {
  try {
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(name);
    return true;
  } catch {
    return false;
  }
}
