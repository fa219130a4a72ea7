import { describe, expect, it, vi } from "vitest";
import { CountUsage } from "../../../src/application/usage/count-usage.ts";
import { RecordUsage } from "../../../src/application/usage/record-usage.ts";
import type { UsageCount, UsageStore } from "../../../src/domain/usage/usage-store.ts";

const minute = 60_000;

/** A recorder whose store can be unavailable. */
function recording() {
  const written: [number, UsageCount][] = [];
  const state = { isAway: false, now: 10 * minute };
  const store = {
    add: async (at: number, counts: readonly UsageCount[]) => {
      if (state.isAway) throw new Error("away");
      written.push(...counts.map((count): [number, UsageCount] => [at, count]));
    },
    expire: async () => {},
  } as unknown as UsageStore;
  const usage = new CountUsage(async () => new Set());
  const log = { failed: vi.fn(), recovered: vi.fn() };
  const recorder = new RecordUsage(usage, store, log, () => state.now);
  const evaluate = (key: string) => usage.countFlag({ key, on: true });
  const counted = () => written.map(([at, { feature, count }]) => `${at / minute} ${feature} ${count}`);
  return { state, recorder, evaluate, counted, log };
}

describe("RecordUsage", () => {
  it("writes the counts of each minute", async () => {
    const { state, recorder, evaluate, counted } = recording();
    evaluate("a");
    evaluate("a");
    state.now = 11 * minute;
    await recorder.flush();
    evaluate("a");
    await recorder.flush();
    await recorder.flush();
    expect(counted()).toEqual(["10 a 2", "11 a 1"]);
    expect(recorder.counts).toEqual({ recorded: 3, dropped: 0 });
  });

  it("keeps the counts of each minute while the store is unavailable", async () => {
    const { state, recorder, evaluate, counted } = recording();
    state.isAway = true;
    for (const at of [11, 12]) {
      evaluate("a");
      state.now = at * minute;
      await expect(recorder.flush()).rejects.toThrow("away");
    }
    state.isAway = false;
    await recorder.flush();
    expect(counted()).toEqual(["10 a 1", "11 a 1"]);
  });

  it("drops the oldest counts beyond 100,000", async () => {
    const { state, recorder, evaluate, counted } = recording();
    state.isAway = true;
    for (let at = 11; at <= 16; at++) {
      for (let feature = 0; feature < 20_000; feature++) evaluate(`f${feature}`);
      state.now = at * minute;
      await expect(recorder.flush()).rejects.toThrow("away");
    }
    state.isAway = false;
    await recorder.flush();
    expect(counted()).toHaveLength(100_000);
    expect(counted()[0]).toBe("11 f0 1");
    expect(recorder.counts).toEqual({ recorded: 100_000, dropped: 20_000 });
  });

  it("writes once for concurrent calls, and all that was counted before each", async () => {
    const { recorder, evaluate, counted } = recording();
    evaluate("a");
    const first = recorder.flush();
    evaluate("b");
    await Promise.all([first, recorder.flush(), recorder.flush()]);
    expect(counted().toSorted()).toEqual(["10 a 1", "10 b 1"]);
  });

  it("writes in the background after each minute, and a last time when it stops", async () => {
    vi.useFakeTimers({ now: 10 * minute + 30_000 });
    try {
      const { state, recorder, evaluate, counted, log } = recording();
      state.now = Date.now();
      recorder.start();
      evaluate("a");
      state.isAway = true;
      const pass = async (ms: number) => {
        state.now += ms;
        await vi.advanceTimersByTimeAsync(ms);
      };
      await pass(29_000);
      expect(log.failed).not.toHaveBeenCalled();
      await pass(12_000);
      expect(log.failed).toHaveBeenCalledOnce();
      state.isAway = false;
      evaluate("b");
      await pass(minute);
      expect(log.recovered).toHaveBeenCalledOnce();
      expect(counted()).toEqual(["10 a 1", "11 b 1"]);
      evaluate("c");
      await recorder.stop();
      expect(counted().at(-1)).toBe("12 c 1");
      evaluate("d");
      await pass(3 * minute);
      expect(counted().at(-1)).toBe("12 c 1");
    } finally {
      vi.useRealTimers();
    }
  });
});
