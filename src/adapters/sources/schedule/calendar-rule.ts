import { dayMs, instantOf, type LocalTime, type TimeZone } from "../../../domain/targeting/wall-clock.ts";

const untilTime = /UNTIL=(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(Z?)(?=;|$)/;

/**
 * Normalises a recurrence rule from a calendar: removes `RRULE:` and a trailing semicolon, converts to upper case, and
 * converts an `UNTIL` with a time to the last day on which a window that starts at `from` can start. `UNTIL` with a `Z`
 * is an instant, without it a local time in `zone`. An invalid `UNTIL` stays as it is.
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

/** The last day on which `from` is not after `until`. It differs from the day of `until` in UTC by at most one. */
function lastDay(until: number, instantAt: (begin: LocalTime) => number, from: LocalTime): string {
  let day = Math.floor(until / dayMs) + 1;
  while (instantAt(day * dayMs + from) > until) day -= 1;
  return new Date(day * dayMs).toISOString().slice(0, 10).replaceAll("-", "");
}
