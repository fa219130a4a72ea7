import type { Instant } from "../evaluation/evaluation-context.ts";
import { type Day, dayAt, dayMs, instantOf, type LocalTime, type TimeZone } from "./wall-clock.ts";

/** A time in which something is on: `[start, end)`. One that never ends has an infinite end. */
export type Window = { readonly start: Instant; readonly end: Instant };

/** What is known of a schedule: all windows that meet `[from, until)`. Beyond, nothing is known. */
export type KnownWindows = { readonly from: Instant; readonly until: Instant; readonly windows: readonly Window[] };

/** A schedule: what is known of it around an instant, in bounded time. */
export type Schedule = (at: Instant) => KnownWindows;

/** A time, `[from, until)`, all through which something is on, or off. */
export type Interval = { readonly on: boolean; readonly from: Instant; readonly until: Instant };

/** Windows that are all known. */
export function fixedSchedule(windows: readonly Window[]): Schedule {
  const stretch = { from: Number.NEGATIVE_INFINITY, until: Number.POSITIVE_INFINITY, windows };
  return () => stretch;
}

/**
 * The days on which something happens, from one on, in order: all of them before `before`, which is at least eight days on.
 * Some are named where there are any in the foreseeable future; `before` is infinite where no more will come.
 */
export type Days = (from: Day) => { readonly days: readonly Day[]; readonly before: Day };

/** A window that comes back on certain days. */
export type Recurrence = {
  readonly days: Days;
  /** The times of day at which it begins and ends; it ends on the next day where `to` is not after `from`. */
  readonly from: LocalTime;
  readonly to: LocalTime;
  readonly zone: TimeZone;
};

/** From wall clock to wall clock: an evening that has an hour more lasts an hour longer. */
export function recurringSchedule({ days, from, to, zone }: Recurrence): Schedule {
  const lasting = to > from ? to : to + dayMs;
  return (at) => {
    const first = dayAt(at, zone) - 3;
    const known = days(first);
    const windows = known.days.map((day) => ({
      start: instantOf(day * dayMs + from, zone),
      end: instantOf(day * dayMs + lasting, zone),
    }));
    // What began on an earlier day is over by then.
    const knownFrom = instantOf((first + 1) * dayMs, zone);
    const knownUntil = known.before === Number.POSITIVE_INFINITY ? known.before : instantOf(known.before * dayMs, zone);
    return { from: knownFrom, until: knownUntil, windows };
  };
}

/** On where one of them is. */
export function anyOf(schedules: readonly Schedule[]): Schedule {
  const [only, ...others] = schedules;
  if (only && others.length === 0) return only;
  return (at) => {
    const stretches = schedules.map((schedule) => schedule(at));
    return {
      from: Math.max(...stretches.map(({ from }) => from)),
      until: Math.min(...stretches.map(({ until }) => until)),
      windows: stretches.flatMap(({ windows }) => windows),
    };
  };
}

/**
 * How it stands at an instant of the stretch, and from when until when, as far as that is known. Windows that meet are one: where one
 * ends and another begins, nothing changes.
 */
export function intervalAt({ from, until, windows }: KnownWindows, at: Instant): Interval {
  const real = windows.filter(({ start, end }) => start < end);
  const here = real.filter((window) => covers(window, at));
  if (here.length === 0) {
    return {
      on: false,
      from: Math.max(from, ...real.filter(({ end }) => end <= at).map(({ end }) => end)),
      until: Math.min(until, ...real.filter(({ start }) => start > at).map(({ start }) => start)),
    };
  }
  let spell = { start: at, end: at };
  for (let more = here; more.length > 0; more = real.filter((window) => widens(window, spell))) {
    spell = {
      start: Math.min(spell.start, ...more.map(({ start }) => start)),
      end: Math.max(spell.end, ...more.map(({ end }) => end)),
    };
  }
  return { on: true, from: Math.max(from, spell.start), until: Math.min(until, spell.end) };
}

const covers = ({ start, end }: Window, at: Instant): boolean => start <= at && at < end;

const widens = (window: Window, { start, end }: Window): boolean =>
  window.start <= end && window.end >= start && (window.start < start || window.end > end);
