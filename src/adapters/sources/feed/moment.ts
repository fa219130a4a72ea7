import { Temporal } from "temporal-polyfill";
import type { ZonedInstant } from "../../../domain/feeds/item.ts";

const dateOnly = /^\d{4}-\d{2}-\d{2}$/;
const withOffset = /T.*(Z|[+-]\d{2}:?\d{2})$/i;
const local = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?$/i;

/**
 * A moment as a partner writes it: RFC 3339, or without an offset as clocks of the zone show it, or a date, which stands for its whole
 * day: it begins with it, or as an end ends with it. `undefined` for one that never was, as 2021-06-31, and for all else.
 */
export function momentOf(text: string, zone: string, isEnd: boolean): ZonedInstant | undefined {
  try {
    if (dateOnly.test(text)) {
      const date = Temporal.PlainDate.from(text);
      return { at: startOf(isEnd ? date.add({ days: 1 }) : date, zone), date: text, time: null };
    }
    if (withOffset.test(text)) return shown(Temporal.Instant.from(text).toZonedDateTimeISO(zone));
    if (local.test(text)) return shown(Temporal.PlainDateTime.from(text).toZonedDateTime(zone));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  return undefined;
}

const startOf = (date: Temporal.PlainDate, zone: string): number => date.toZonedDateTime(zone).epochMilliseconds;

const shown = (moment: Temporal.ZonedDateTime): ZonedInstant => ({
  at: moment.epochMilliseconds,
  date: moment.toPlainDate().toString(),
  time: moment.toPlainTime().toString({ smallestUnit: "second" }),
});

/** Whether there is a time zone of this name. */
export function isZone(name: string): boolean {
  try {
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(name);
    return true;
  } catch {
    return false;
  }
}
