import { setImmediate } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { PhasesAhead } from "../../../../src/adapters/sources/schedule/phases-ahead.ts";
import { fixedSchedule, type Schedule } from "../../../../src/domain/targeting/schedule.ts";
import type { Phase } from "../../../../src/domain/targeting/timetable.ts";
import { timersOf } from "../../../support/timers-of.ts";
import { until } from "../../../support/until.ts";

const minute = 60_000;
const noon = Date.parse("2026-11-20T12:00Z");

/** On in the first half of each hour, known two hours at a time. */
const everyHour =
  (asked: number[] = []): Schedule =>
  (at) => {
    asked.push(at);
    const hour = Math.floor((at - noon) / (60 * minute)) * 60 * minute + noon;
    const windows = [0, 1, 2]
      .map((later) => hour + later * 60 * minute)
      .map((start) => ({ start, end: start + 30 * minute }));
    return { from: hour, until: hour + 120 * minute, windows };
  };

const on = (phase: Phase): string[] => [...phase.features].filter(([, { on }]) => on).map(([feature]) => feature);

describe("phases ahead", () => {
  let phases: PhasesAhead;
  beforeEach(() => {
    vi.useFakeTimers({ now: noon, toFake: ["Date", "setTimeout", "clearTimeout"] });
    phases = new PhasesAhead(Date.now);
  });
  afterEach(() => {
    phases[Symbol.dispose]();
    vi.useRealTimers();
  });

  /** Lets background work finish. */
  const settle = async () => {
    for (let boundary = 0; boundary < 10; boundary++) await setImmediate();
  };

  it("return the features that are on, and the end of the phase", async () => {
    const schedules = new Map([
      ["hourly", everyHour()],
      ["lunch", fixedSchedule([{ start: noon - minute, end: noon + 10 * minute }])],
      ["dinner", fixedSchedule([{ start: noon + 480 * minute, end: noon + 600 * minute }])],
    ]);
    const phase = await phases.at(schedules, noon);
    expect(on(phase)).toEqual(["hourly", "lunch"]);
    expect(phase.until).toBe(noon + 10 * minute);
    expect(phase.features.get("lunch")).toEqual({
      on: true,
      value: true,
      reason: "TARGETING_MATCH",
      metadata: { windowStartsAt: "2026-11-20T11:59:00.000Z", windowEndsAt: "2026-11-20T12:10:00.000Z" },
    });
    expect(phase.features.get("dinner")).toEqual({
      on: false,
      value: false,
      reason: "DEFAULT",
      metadata: { nextWindowStartsAt: "2026-11-20T20:00:00.000Z" },
    });
  });

  it("are the same between two boundaries, and change exactly at a boundary", async () => {
    const schedules = new Map([["hourly", everyHour()]]);
    const first = await phases.at(schedules, noon);
    await settle();
    expect(phases.at(schedules, noon + 30 * minute - 1)).toBe(first);
    const second = phases.at(schedules, noon + 30 * minute);
    expect(second).toMatchObject({ until: noon + 60 * minute });
    expect(on(second as Phase)).toEqual([]);
  });

  it("are ready when a boundary passes, without a new evaluation", async () => {
    const asked: number[] = [];
    const schedules = new Map([["hourly", everyHour(asked)]]);
    await phases.at(schedules, noon);
    for (let boundary = 1; boundary <= 12; boundary++) {
      await settle();
      const before = asked.length;
      vi.setSystemTime(noon + boundary * 30 * minute);
      const phase = phases.at(schedules, Date.now());
      expect(phase).not.toBeInstanceOf(Promise);
      expect(on(phase as Phase)).toEqual(boundary % 2 === 0 ? ["hourly"] : []);
      expect(asked.length).toBe(before);
      await vi.advanceTimersByTimeAsync(1);
    }
    expect(asked.length).toBeGreaterThan(3);
  });

  it("advance without calls", async () => {
    const asked: number[] = [];
    const schedules = new Map([["hourly", everyHour(asked)]]);
    await phases.at(schedules, noon);
    for (let boundary = 0; boundary < 40; boundary++) {
      await settle();
      await vi.advanceTimersByTimeAsync(30 * minute);
    }
    await settle();
    const before = asked.length;
    expect(on(phases.at(schedules, noon + 20 * 60 * minute) as Phase)).toEqual(["hourly"]);
    expect(asked.length).toBe(before);
  });

  it("evaluate another time without a change of the present phase", async () => {
    const asked: number[] = [];
    const schedules = new Map([["hourly", everyHour(asked)]]);
    const present = await phases.at(schedules, noon);
    await settle();
    const before = asked.length;
    const past = await phases.at(schedules, noon - 365 * 24 * 60 * minute + 40 * minute);
    expect([on(past), past.until]).toEqual([[], noon - 365 * 24 * 60 * minute + 60 * minute]);
    const future = await phases.at(schedules, noon + 365 * 24 * 60 * minute);
    expect([on(future), future.until]).toEqual([["hourly"], noon + 365 * 24 * 60 * minute + 30 * minute]);
    expect(asked.length).toBe(before + 2);
    expect(phases.at(schedules, noon + 1)).toBe(present);
  });

  it("evaluate new schedules only", async () => {
    const [first, second]: number[][] = [[], []];
    const one = everyHour(first);
    await phases.at(new Map([["one", one]]), noon);
    await settle();
    const before = first?.length;
    const more = new Map([
      ["one", one],
      ["other", everyHour(second)],
    ]);
    expect(on(await phases.at(more, noon))).toEqual(["one", "other"]);
    expect(first?.length).toBe(before);
    expect(second?.length).toBe(1);
    expect(on(await phases.at(new Map(), noon))).toEqual([]);
  });

  it("evaluate many schedules without blocking, once for concurrent callers", async () => {
    let asked = 0;
    const slow: Schedule = () => {
      asked += 1;
      const end = performance.now() + 1;
      while (performance.now() < end);
      return { from: -1e15, until: 1e15, windows: [] };
    };
    const schedules = new Map(Array.from({ length: 50 }, (_, index) => [`feature_${index}`, slow.bind(undefined)]));
    const answers = [phases.at(schedules, noon), phases.at(schedules, noon)];
    expect(asked).toBeLessThan(50);
    const [one, other] = await Promise.all(answers);
    expect(one).toBe(other);
    expect(one?.features.size).toBe(50);
    expect(asked).toBe(50);
  });

  it("evaluate the present time after a delay", async () => {
    const schedules = new Map([["hourly", everyHour()]]);
    await phases.at(schedules, noon);
    await settle();
    vi.setSystemTime(noon + 1_000 * minute);
    expect(on(await phases.at(schedules, noon + 1_000 * minute))).toEqual([]);
    vi.setSystemTime(noon - 1_000 * minute);
    expect((await phases.at(schedules, noon - 1_000 * minute)).until).toBe(noon - 990 * minute);
  });

  it("leave no timer after disposal", async () => {
    const asked: number[] = [];
    using timers = timersOf(30 * minute);
    await phases.at(new Map([["hourly", everyHour(asked)]]), noon);
    await until(() => timers.pending() === 1, "it waits for the boundary");
    phases[Symbol.dispose]();
    expect(timers.pending()).toBe(0);
    const { length } = asked;
    vi.advanceTimersByTime(300 * minute);
    await settle();
    expect(asked).toHaveLength(length);
  });
});
