import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { recurringDays } from "../../../../src/adapters/sources/schedule/recurring-days.ts";
import { dayMs } from "../../../../src/domain/targeting/wall-clock.ts";

const dayOf = (date: string): number => Date.parse(`${date}T00:00Z`) / dayMs;
const lastOfMonth = (date: Date): number =>
  new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();

/** Rules, each with a predicate for its days that does not use them. */
const rules: readonly (readonly [string, (date: Date, day: number) => boolean])[] = [
  ["FREQ=DAILY", () => true],
  ["FREQ=DAILY;INTERVAL=10", (_, day) => (day - dayOf("2000-01-01")) % 10 === 0],
  ["FREQ=DAILY;BYMONTH=2;BYMONTHDAY=29", (date) => date.getUTCMonth() === 1 && date.getUTCDate() === 29],
  ["FREQ=WEEKLY;BYDAY=FR", (date) => date.getUTCDay() === 5],
  [
    "FREQ=WEEKLY;INTERVAL=3;BYDAY=MO,SU",
    // Weeks begin on Monday. Counting starts with the week of Monday, 27 December 1999.
    (date, day) => [0, 1].includes(date.getUTCDay()) && Math.floor((day - dayOf("1999-12-27")) / 7) % 3 === 0,
  ],
  ["FREQ=MONTHLY;BYMONTHDAY=31", (date) => date.getUTCDate() === 31],
  ["FREQ=MONTHLY;BYDAY=-1FR", (date) => date.getUTCDay() === 5 && date.getUTCDate() > lastOfMonth(date) - 7],
  ["FREQ=MONTHLY;BYDAY=2TU", (date) => date.getUTCDay() === 2 && Math.ceil(date.getUTCDate() / 7) === 2],
  ["FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", (date) => date.getUTCMonth() === 1 && date.getUTCDate() === 29],
  [
    "FREQ=YEARLY;INTERVAL=4;BYMONTH=3;BYDAY=MO",
    (date) => date.getUTCFullYear() % 4 === 0 && date.getUTCMonth() === 2 && date.getUTCDay() === 1,
  ],
];

describe("the days of a recurrence", () => {
  it.each(rules)("are complete from any day on: %s", (rule, isOne) => {
    const found = recurringDays(rule, "2000-01-01");
    if (typeof found === "string") throw new Error(found);
    const asked = fc.integer({ min: dayOf("1995-01-01"), max: dayOf("2080-01-01") });
    fc.assert(
      fc.property(asked, (from) => {
        const { days, before } = found.days(from);
        expect(before).toBeGreaterThanOrEqual(from + 8);
        expect(days.length).toBeGreaterThan(0);
        const expected: number[] = [];
        for (let day = Math.max(from, dayOf("2000-01-01")); day < before; day++) {
          if (isOne(new Date(day * dayMs), day)) expected.push(day);
        }
        expect(days).toEqual(expected);
      }),
      { numRuns: 60 },
    );
  });

  it("are counted from the first day, and end after the count", () => {
    const found = recurringDays("FREQ=MONTHLY;BYMONTHDAY=31;COUNT=20", "2026-01-01");
    if (typeof found === "string") throw new Error(found);
    const all: number[] = [];
    for (let from = dayOf("2020-01-01"); from !== Number.POSITIVE_INFINITY; ) {
      const { days, before } = found.days(from);
      all.push(...days);
      from = before;
    }
    expect(all).toHaveLength(20);
    expect([all[0], all[19]]).toEqual([dayOf("2026-01-31"), dayOf("2028-10-31")]);
  });

  it("are none after the last one", () => {
    const found = recurringDays("FREQ=DAILY;UNTIL=20260131", undefined, "2026-01-20");
    if (typeof found === "string") throw new Error(found);
    expect(found.days(dayOf("2026-01-19"))).toEqual({
      days: [dayOf("2026-01-19"), dayOf("2026-01-20")],
      before: Number.POSITIVE_INFINITY,
    });
  });
});
