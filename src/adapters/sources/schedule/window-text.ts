import type { Instant } from "../../../domain/evaluation/evaluation-context.ts";
import { fixedSchedule, recurringSchedule, type Schedule } from "../../../domain/targeting/schedule.ts";
import { instantOf, type LocalTime, type TimeZone } from "../../../domain/targeting/wall-clock.ts";
import { timeZone } from "../../../infrastructure/time-zone.ts";
import { calendarRule } from "./calendar-rule.ts";
import { isDate } from "./recurrence-rule.ts";
import { recurringDays } from "./recurring-days.ts";

/** A window or recurring window in a rule. */
export type WindowText = {
  /** For a single window: an instant (RFC 3339), or a local time such as 2026-11-20T18:00. */
  readonly startsAt?: string;
  readonly endsAt?: string;
  /** For a recurring window: its days (RFC 5545, RRULE), counted from `startsOn`, and its times of day. */
  readonly recurrence?: string;
  readonly from?: string;
  readonly to?: string;
  readonly startsOn?: string;
  readonly endsOn?: string;
  /** Time zone of local times, such as Europe/Madrid. */
  readonly timeZone?: string;
};

/** The fault of a window, and the fix. */
export class WindowFault extends Error {
  override readonly name = "WindowFault";
  readonly field: keyof WindowText;

  constructor(field: keyof WindowText, message: string) {
    super(message);
    this.field = field;
  }
}

/** A parsed window. `opens` returns whether it is ever on, as far as can be determined; that can take about 10 ms. */
export type ParsedWindow = { readonly schedule: Schedule; readonly opens: () => boolean };

/** Parses a window. Throws `WindowFault` if it is invalid. */
export const parseWindow = (text: WindowText): ParsedWindow =>
  text.recurrence === undefined ? single(text) : recurring(text, text.recurrence);

function single({ startsAt, endsAt, timeZone: zoneName, ...others }: WindowText): ParsedWindow {
  reject(others, "requires recurrence; add it, or omit this field");
  if (startsAt === undefined) {
    throw new WindowFault("startsAt", "is missing; set the start of the window, or recurrence with from and to");
  }
  const zone = zoneName === undefined ? undefined : zoneOf(zoneName);
  const start = instantIn("startsAt", startsAt, zone);
  const end = endsAt === undefined ? Number.POSITIVE_INFINITY : instantIn("endsAt", endsAt, zone);
  if (end <= start) throw new WindowFault("endsAt", "is not after startsAt; set a later time, or omit it");
  return { schedule: fixedSchedule([{ start, end }]), opens: () => true };
}

function recurring(text: WindowText, recurrence: string): ParsedWindow {
  const { from, to, timeZone: zoneName, startsOn, endsOn, startsAt, endsAt } = text;
  reject({ startsAt, endsAt }, "applies to a single window; with recurrence, use from and to, and startsOn or endsOn");
  if (zoneName === undefined)
    throw new WindowFault("timeZone", "is missing; set an IANA time zone, for example Europe/Madrid");
  const zone = zoneOf(zoneName);
  const times = { from: timeOfDay("from", from), to: timeOfDay("to", to) };
  checkDate("startsOn", startsOn);
  checkDate("endsOn", endsOn);
  if (startsOn !== undefined && endsOn !== undefined && endsOn < startsOn) {
    throw new WindowFault("endsOn", "is before startsOn; set a later day, or omit it");
  }
  const found = recurringDays(calendarRule(recurrence, times.from, zone), startsOn, endsOn);
  if (typeof found === "string") throw new WindowFault("recurrence", found);
  return { schedule: recurringSchedule({ days: found.days, ...times, zone }), opens: found.hasDays };
}

function reject(fields: Readonly<Partial<Record<keyof WindowText, string | undefined>>>, fault: string): void {
  for (const [field, value] of Object.entries(fields)) {
    if (value !== undefined) throw new WindowFault(field as keyof WindowText, fault);
  }
}

function zoneOf(name: string): TimeZone {
  const zone = timeZone(name);
  if (zone) return zone;
  throw new WindowFault("timeZone", `is an unknown time zone (expected an IANA name, for example Europe/Madrid)`);
}

const timeForm =
  /^(\d{4}-\d\d-\d\d)T((?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?)(Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)?$/;

function instantIn(field: "startsAt" | "endsAt", text: string, zone: TimeZone | undefined): Instant {
  const [, date, time, offset] = timeForm.exec(text) ?? [];
  if (date === undefined || !isDate(date)) {
    throw new WindowFault(
      field,
      "is an invalid time (expected 2026-11-20T18:00:00Z, or 2026-11-20T18:00 with timeZone)",
    );
  }
  if (offset !== undefined) return Date.parse(text);
  if (!zone) throw new WindowFault(field, "has no time zone; add timeZone, or end it with Z or an offset");
  return instantOf(Date.parse(`${date}T${time}Z`), zone);
}

function timeOfDay(field: "from" | "to", text: string | undefined): LocalTime {
  if (text === undefined) throw new WindowFault(field, "is missing; set a time of day, for example 18:00");
  if (/^(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d)?$/.test(text)) return Date.parse(`1970-01-01T${text}Z`);
  throw new WindowFault(field, "is an invalid time of day (expected 00:00 to 23:59, for example 18:00)");
}

function checkDate(field: "startsOn" | "endsOn", text: string | undefined): void {
  if (text !== undefined && !isDate(text))
    throw new WindowFault(field, "is an invalid date (expected a date such as 2026-11-20)");
}
