import type { Instant } from "../evaluation/evaluation-context.ts";
import { type Day, dayAt, dayMs, instantOf, type LocalTime, type TimeZone } from "./wall-clock.ts";

/** Window in which a feature is on: `[start, end)`. `end` is infinite if the window never ends. */
export type Window = { readonly start: Instant; readonly end: Instant };

/** The part of a schedule that is known: all windows that meet `[from, until)`. Nothing is known outside. */
export type KnownWindows = { readonly from: Instant; readonly until: Instant; readonly windows: readonly Window[] };

/** A schedule: returns the windows around an instant, in bounded time. */
export type Schedule = (at: Instant) => KnownWindows;

/** Interval `[from, until)` in which a feature does not change: it is on, or off, throughout. */
export type Interval = { readonly on: boolean; readonly from: Instant; readonly until: Instant };

/** A schedule of windows that are all known. */
export function fixedSchedule(windows: readonly Window[]): Schedule {
  const known = { from: Number.NEGATIVE_INFINITY, until: Number.POSITIVE_INFINITY, windows };
  return () => known;
}

/**
 * The days on which a window recurs, in order, from a day on: all of them before `before`, which is at least eight days
 * later. Includes at least one day if there is one in the foreseeable future. `before` is infinite if there are no
 * more.
 */
export type Days = (from: Day) => { readonly days: readonly Day[]; readonly before: Day };

/** A window that recurs on certain days. */
export type Recurrence = {
  readonly days: Days;
  /** The times of day at which it starts and ends. It ends on the next day if `to` is not after `from`. */
  readonly from: LocalTime;
  readonly to: LocalTime;
  readonly zone: TimeZone;
};

/**
 * A schedule of recurring windows, from wall clock to wall clock: a window across the end of daylight saving time lasts
 * an hour longer.
 */
export function recurringSchedule({ days, from, to, zone }: Recurrence): Schedule {
  const endOffset = to > from ? to : to + dayMs;
  return (at) => {
    const first = dayAt(at, zone) - 3;
    const upcoming = days(first);
    const windows = upcoming.days.map((day) => ({
      start: instantOf(day * dayMs + from, zone),
      end: instantOf(day * dayMs + endOffset, zone),
    }));
    // Windows that started on an earlier day have ended by then.
    const knownFrom = instantOf((first + 1) * dayMs, zone);
    const knownUntil =
      upcoming.before === Number.POSITIVE_INFINITY ? upcoming.before : instantOf(upcoming.before * dayMs, zone);
    return { from: knownFrom, until: knownUntil, windows };
  };
}

/** A schedule that is on where at least one of the schedules is on. */
export function anyOf(schedules: readonly Schedule[]): Schedule {
  const [only, ...others] = schedules;
  if (only && others.length === 0) return only;
  return (at) => {
    const parts = schedules.map((schedule) => schedule(at));
    return {
      from: Math.max(...parts.map(({ from }) => from)),
      until: Math.min(...parts.map(({ until }) => until)),
      windows: parts.flatMap(({ windows }) => windows),
    };
  };
}

/**
 * The interval around an instant, as far as it is known. Adjacent windows are one: nothing changes where one ends and
 * another starts.
 */
export function intervalAt({ from, until, windows }: KnownWindows, at: Instant): Interval {
  const nonEmpty = windows.filter(({ start, end }) => start < end);
  const open = nonEmpty.filter((window) => isOpen(window, at));
  if (open.length === 0) {
    return {
      on: false,
      from: Math.max(from, ...nonEmpty.filter(({ end }) => end <= at).map(({ end }) => end)),
      until: Math.min(until, ...nonEmpty.filter(({ start }) => start > at).map(({ start }) => start)),
    };
  }
  let merged = { start: at, end: at };
  for (let more = open; more.length > 0; more = nonEmpty.filter((window) => widens(window, merged))) {
    merged = {
      start: Math.min(merged.start, ...more.map(({ start }) => start)),
      end: Math.max(merged.end, ...more.map(({ end }) => end)),
    };
  }
  return { on: true, from: Math.max(from, merged.start), until: Math.min(until, merged.end) };
}

/** Whether an interval contains an instant. */
export const covers = ({ from, until }: Pick<Interval, "from" | "until">, at: Instant): boolean =>
  from <= at && at < until;

const isOpen = ({ start, end }: Window, at: Instant): boolean => start <= at && at < end;

const widens = (window: Window, { start, end }: Window): boolean =>
  window.start <= end && window.end >= start && (window.start < start || window.end > end);
