import { describe, expect, it } from "vitest";
import { daysIn, grouped, placeIn, spanOf, stepped } from "../../backoffice/src/people/strip-span.ts";

const at = (text: string) => new Date(text).getTime();
const now = at("2026-11-30T14:30:00");

describe("the span of a time strip", () => {
  it("is seven days up to now, from a local midnight", () => {
    expect(spanOf([now], now)).toEqual({ from: at("2026-11-23T00:00:00"), to: now });
  });

  it("covers a moment before, and one ahead with its day", () => {
    expect(spanOf([at("2026-11-03T09:00:30"), now], now).from).toBe(at("2026-11-03T00:00:00"));
    expect(spanOf([at("2026-12-04T19:00:00")], now).to).toBe(at("2026-12-05T00:00:00"));
  });

  it("ends now for a moment that is just ahead of the clock", () => {
    expect(spanOf([now + 5_000], now).to).toBe(now);
  });

  it("has steps to whole minutes, which stop at now before they cross it", () => {
    const hour = 3_600_000;
    const [second, within] = [at("2026-11-30T14:30:20"), at("2026-11-30T14:00:00")];
    expect(stepped(within, -hour, second)).toBe(at("2026-11-30T13:00:00"));
    expect(stepped(within, 24 * hour, second)).toBe(second);
    expect(stepped(second, hour, second)).toBe(at("2026-11-30T15:30:00"));
    expect(stepped(at("2026-11-30T15:30:00"), -hour, second)).toBe(second);
    expect(stepped(second - 20_000, hour, second)).toBe(at("2026-11-30T15:30:00"));
  });

  it("has places from 0 to 100, also for what lies outside", () => {
    const span = { from: 1_000, to: 2_000 };
    expect([0, 1_000, 1_250, 2_000, 9_000].map((each) => placeIn(span, each))).toEqual([0, 0, 25, 100, 100]);
  });

  it("has as many days as fit, each at a midnight, also over years", () => {
    const week = spanOf([now], now);
    const dates = (max: number) => daysIn(week, max).map((day) => new Date(day).getDate());
    expect(dates(8)).toEqual([23, 24, 25, 26, 27, 28, 29, 30]);
    expect(dates(4)).toEqual([23, 25, 27, 29]);
    const years = daysIn(spanOf([at("2099-01-01T18:30:00")], now), 8);
    expect(years.length).toBeLessThanOrEqual(8);
    expect(years.filter((day) => new Date(day).getHours() !== 0)).toEqual([]);
  });

  it("groups what is closer together than a gap, so that groups are never closer", () => {
    expect(grouped([1, 2, 2.9, 3, 4.9, 5, 9], (each) => each, 2)).toEqual([[1, 2, 2.9], [3, 4.9], [5], [9]]);
    expect(grouped([], Number, 2)).toEqual([]);
  });
});
