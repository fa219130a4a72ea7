import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { intervalAt, recurringSchedule } from "../../../src/domain/targeting/schedule.ts";
import {
  type ClockSpan,
  type Day,
  dayAt,
  dayMs,
  instantOf,
  type TimeZone,
} from "../../../src/domain/targeting/wall-clock.ts";

const hourMs = 3_600_000;
const forEver = { from: Number.NEGATIVE_INFINITY, until: Number.POSITIVE_INFINITY };

/** A zone whose clocks change at some instants, by up to a day. */
const zones = fc
  .array(
    fc.record({ at: fc.integer({ min: -40, max: 40 * 24 }), ahead: fc.integer({ min: -12 * 60, max: 14 * 60 }) }),
    { maxLength: 4 },
  )
  .map((changes): TimeZone => {
    const sorted = changes.toSorted((a, b) => a.at - b.at);
    const spans: ClockSpan[] = [
      { ...forEver, ahead: 0 },
      ...sorted.map(({ ahead }) => ({ ...forEver, ahead: ahead * 60_000 })),
    ].map((span, index) => ({
      ahead: span.ahead,
      from: (sorted[index - 1]?.at ?? Number.NEGATIVE_INFINITY) * hourMs,
      until: (sorted[index]?.at ?? Number.POSITIVE_INFINITY) * hourMs,
    }));
    return (at) => spans.find(({ from, until }) => from <= at && at < until) ?? { ...forEver, ahead: 0 };
  });

const minutes = fc.integer({ min: -2 * 24 * 60, max: 42 * 24 * 60 }).map((minute) => minute * 60_000);
const clockAt = (at: number, zone: TimeZone): number => at + zone(at).ahead;

describe("a local time", () => {
  it("is the first instant at which a clock shows or skips it", () => {
    fc.assert(
      fc.property(zones, minutes, fc.integer({ min: 1, max: 3 * dayMs }), (zone, local, before) => {
        const instant = instantOf(local, zone);
        expect(clockAt(instant, zone)).toBeGreaterThanOrEqual(local);
        expect(clockAt(instant - 1, zone)).toBeLessThan(local);
        expect(clockAt(instant - before, zone)).toBeLessThan(local);
      }),
    );
  });

  it("is never before an earlier local time", () => {
    fc.assert(
      fc.property(zones, minutes, minutes, (zone, one, other) => {
        const [early, late] = one < other ? [one, other] : [other, one];
        expect(instantOf(early, zone)).toBeLessThanOrEqual(instantOf(late, zone));
      }),
    );
  });

  it("is on the day of the local calendar", () => {
    const madrid: TimeZone = () => ({ ...forEver, ahead: hourMs });
    expect(dayAt(23 * hourMs - 1, madrid)).toBe(0);
    expect(dayAt(23 * hourMs, madrid)).toBe(1);
  });
});

describe("Recurring windows", () => {
  const everyDay = (from: Day) => ({ days: Array.from({ length: 12 }, (_, index) => from + index), before: from + 12 });
  const timeOfDay = fc.integer({ min: 0, max: 24 * 60 - 1 }).map((minute) => minute * 60_000);

  it("that are adjacent leave no gap, in any zone", () => {
    fc.assert(
      fc.property(zones, timeOfDay, timeOfDay, minutes, (zone, from, to, at) => {
        const there = recurringSchedule({ days: everyDay, from, to, zone })(at);
        const back = recurringSchedule({ days: everyDay, from: to, to: from, zone })(at);
        expect(intervalAt(there, at).on || intervalAt(back, at).on).toBe(true);
      }),
    );
  });

  it("are known around the given instant", () => {
    fc.assert(
      fc.property(zones, timeOfDay, timeOfDay, minutes, (zone, from, to, at) => {
        const stretch = recurringSchedule({ days: everyDay, from, to, zone })(at);
        expect(stretch.from).toBeLessThanOrEqual(at);
        expect(stretch.until).toBeGreaterThan(at);
      }),
    );
  });

  it("are the same for any given instant", () => {
    fc.assert(
      fc.property(zones, timeOfDay, timeOfDay, minutes, minutes, (zone, from, to, at, other) => {
        const schedule = recurringSchedule({ days: everyDay, from, to, zone });
        const stretch = schedule(other);
        fc.pre(stretch.from <= at && at < stretch.until);
        expect(intervalAt(stretch, at).on).toBe(intervalAt(schedule(at), at).on);
      }),
    );
  });
});
