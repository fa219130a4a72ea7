import { LRUCache } from "lru-cache";
import { RRuleTemporal } from "rrule-temporal";
import { Temporal } from "temporal-polyfill";
import { errorMessage } from "../../../domain/error-message.ts";
import type { Days } from "../../../domain/targeting/schedule.ts";
import { type Day, dayMs } from "../../../domain/targeting/wall-clock.ts";
import { type RecurrenceRule, recurrenceRule } from "./recurrence-rule.ts";

/** Days per chunk of search, by frequency. */
const chunkDays = { DAILY: 16, WEEKLY: 64, MONTHLY: 256, YEARLY: 1_024 } as const;
/** Maximum number of chunks that are searched for the next day: 11, 44, 179 and 717 years, by frequency. */
const maxChunks = 256;
const cachedChunks = 8;
/** Maximum number of days per result. A search also stops at a day that is at least `soonDays` ahead. */
const maxDays = 12;
const soonDays = 8;
/** Maximum number of periods (days, weeks, months or years) that are expanded for a recurrence with `COUNT`. */
const maxPeriods = 5_000;
/** Start of recurrences that do not depend on a start day. */
const longAgo = "1900-01-01";

/** The days of a recurrence. */
export type RecurringDays = {
  readonly days: Days;
  /** Whether the recurrence has any day. If it has none, the first call takes about 10 ms. */
  readonly hasDays: () => boolean;
};

/** Caches recurrences, because many rules share one. */
const cache = new LRUCache<string, RecurringDays>({ max: 10_000 });

/**
 * The days of a recurrence rule (RFC 5545, RRULE, limited to days) from `startsOn` to `endsOn`, both inclusive and in
 * the form 2026-11-17. Returns the fault and the fix of an invalid rule as text.
 */
export function recurringDays(text: string, startsOn?: string, endsOn?: string): RecurringDays | string {
  const name = JSON.stringify([text, startsOn, endsOn]);
  const cached = cache.get(name);
  if (cached) return cached;
  const rule = recurrenceRule(text);
  if (typeof rule === "string") return rule;
  if (rule.isCounted && startsOn === undefined) return "requires startsOn, from which it is counted; add startsOn";
  const found = daysOf(rule, startsOn ?? longAgo, endsOn);
  if (typeof found !== "string") cache.set(name, found);
  return found;
}

function daysOf(rule: RecurrenceRule, startsOn: string, endsOn: string | undefined): RecurringDays | string {
  let recurrence: RRuleTemporal;
  try {
    recurrence = new RRuleTemporal({
      rruleString: rule.endless,
      dtstart: Temporal.ZonedDateTime.from(`${startsOn}T00:00[UTC]`),
      ...(rule.count === undefined ? {} : { count: rule.count }),
      strict: true,
      maxIterations: maxPeriods,
    });
  } catch (cause) {
    return `cannot be used: ${errorMessage(cause)} (see RFC 5545, section 3.3.10)`;
  }
  const first = dayOf(startsOn);
  const last = Math.min(...[rule.until, endsOn].map((date) => (date ? dayOf(date) : Number.POSITIVE_INFINITY)));
  const size = chunkDays[rule.frequency];
  const days = rule.count === undefined ? endless(recurrence, size, first, last) : counted(recurrence, last);
  let hasDays: boolean | undefined;
  return {
    days,
    hasDays: () => {
      hasDays ??= days(first).days.length > 0;
      return hasDays;
    },
  };
}

function endless(recurrence: RRuleTemporal, size: number, first: Day, last: Day): Days {
  const cache = new LRUCache<number, readonly Day[]>({ max: cachedChunks });
  const chunk = (index: number): readonly Day[] => {
    const cached = cache.get(index);
    if (cached) return cached;
    const from = new Date(index * size * dayMs);
    const days = recurrence.between(from, new Date(from.getTime() + (size - 1) * dayMs), true).map(dayIn);
    cache.set(index, days);
    return days;
  };
  return (from) => {
    const found: Day[] = [];
    const start = Math.floor(Math.max(from, first) / size);
    for (let index = start; index < start + maxChunks; index++) {
      if (index * size > last) return { days: found, before: Number.POSITIVE_INFINITY };
      found.push(...chunk(index).filter((day) => from <= day && day <= last));
      const next = found[maxDays];
      if (next !== undefined) return { days: found.slice(0, maxDays), before: next };
      if ((found.at(-1) ?? from) >= from + soonDays) return { days: found, before: (index + 1) * size };
    }
    return { days: found, before: (start + maxChunks) * size };
  };
}

function counted(recurrence: RRuleTemporal, last: Day): Days {
  let all: readonly Day[] | undefined;
  return (from) => {
    all ??= allOf(recurrence).filter((day) => day <= last);
    const found = all.filter((day) => day >= from);
    return { days: found.slice(0, maxDays), before: found[maxDays] ?? Number.POSITIVE_INFINITY };
  };
}

/** Empty if the expansion exceeds `maxPeriods`. */
function allOf(recurrence: RRuleTemporal): readonly Day[] {
  try {
    return recurrence.all().map(dayIn);
  } catch {
    return [];
  }
}

const dayOf = (date: string): Day => Date.parse(`${date}T00:00Z`) / dayMs;

const dayIn = ({ epochMilliseconds }: { readonly epochMilliseconds: number }): Day => epochMilliseconds / dayMs;
