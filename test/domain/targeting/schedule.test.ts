import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { anyOf, fixedSchedule, intervalAt } from "../../../src/domain/targeting/schedule.ts";

const windows = fc.array(
  fc.record({
    start: fc.integer({ min: 0, max: 50 }),
    length: fc.oneof(fc.integer({ min: 0, max: 20 }), fc.constant(Infinity)),
  }),
  { maxLength: 8 },
);
const instants = fc.integer({ min: -5, max: 80 });

const isOn = (opened: readonly { start: number; length: number }[], at: number): boolean =>
  opened.some(({ start, length }) => start <= at && at < start + length);

const stretchOf = (opened: readonly { start: number; length: number }[], at: number) =>
  fixedSchedule(opened.map(({ start, length }) => ({ start, end: start + length })))(at);

describe("an interval", () => {
  it("is on while a window is open", () => {
    fc.assert(
      fc.property(windows, instants, (opened, at) => {
        expect(intervalAt(stretchOf(opened, at), at).on).toBe(isOn(opened, at));
      }),
    );
  });

  it("lasts until the next change", () => {
    fc.assert(
      fc.property(windows, instants, (opened, at) => {
        const { on, from, until } = intervalAt(stretchOf(opened, at), at);
        for (let other = Math.max(from, -10); other < Math.min(until, 100); other++)
          expect(isOn(opened, other)).toBe(on);
        if (from !== Number.NEGATIVE_INFINITY) expect(isOn(opened, from - 1)).toBe(!on);
        if (until !== Number.POSITIVE_INFINITY) expect(isOn(opened, until)).toBe(!on);
      }),
    );
  });

  it("ends at the limit of the known windows", () => {
    const stretch = { from: 10, until: 20, windows: [{ start: 0, end: 30 }] };
    expect(intervalAt(stretch, 15)).toEqual({ on: true, from: 10, until: 20 });
    expect(intervalAt({ ...stretch, windows: [] }, 15)).toEqual({ on: false, from: 10, until: 20 });
  });
});

describe("several schedules", () => {
  it("are on while one of them is on", () => {
    fc.assert(
      fc.property(windows, windows, instants, (some, others, at) => {
        const both = anyOf([() => stretchOf(some, at), () => stretchOf(others, at)]);
        expect(intervalAt(both(at), at)).toEqual(intervalAt(stretchOf([...some, ...others], at), at));
      }),
    );
  });

  it("are known where each of them is known", () => {
    const both = anyOf([() => ({ from: 0, until: 20, windows: [] }), () => ({ from: 10, until: 30, windows: [] })]);
    expect(both(15)).toEqual({ from: 10, until: 20, windows: [] });
  });
});
