import { dayMs, instantOf, type LocalTime, type TimeZone } from "../../../domain/targeting/wall-clock.ts";

const untilTime = /UNTIL=(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(Z?)(?=;|$)/;

/**
 * A recurrence rule as calendars write it, in the form that is parsed here: without `RRULE:`, in capitals, without a semicolon at the
 * end, and `UNTIL` as the last day on which a window may begin that begins at `from`. `UNTIL` with a `Z` is an instant, without one what
 * the clocks of the zone show. What means nothing stays as it is.
 */
export function calendarRule(text: string, from: LocalTime, zone: TimeZone): string {
  return text
    .trim()
    .toUpperCase()
    .replace(/^RRULE:/, "")
    .replace(/;$/, "")
    .replace(untilTime, (all, year, month, day, hour, minute, second, utc) => {
      const time = `${year}-${month}-${day}T${hour}:${minute}:${second}Z`;
      const until = Date.parse(time);
      if (Number.isNaN(until) || new Date(until).toISOString() !== time.replace("Z", ".000Z")) return all;
      return `UNTIL=${lastDay(until, (begin) => (utc ? instantOf(begin, zone) : begin), from)}`;
    });
}

/** The last day on which `from` is not after `until`: that of UTC, or one beside it. */
function lastDay(until: number, instantAt: (begin: LocalTime) => number, from: LocalTime): string {
  let day = Math.floor(until / dayMs) + 1;
  while (instantAt(day * dayMs + from) > until) day -= 1;
  return new Date(day * dayMs).toISOString().slice(0, 10).replaceAll("-", "");
}
