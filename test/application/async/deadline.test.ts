import { stat } from "node:fs/promises";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { settleWithin, waitAtMost, withDeadline } from "../../../src/application/async/deadline.ts";

const never = new Promise<never>(() => {});

/** A limit that nothing else in this worker has: calls with the same limit share a timer. */
const limitMs = 1_608;
const lateMs = limitMs + limitMs / 8 + 1;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("within", () => {
  it("returns a value that is no promise, without a timer", () => {
    const others = vi.getTimerCount();
    expect(withDeadline(limitMs, () => 1)).toBe(1);
    expect(vi.getTimerCount()).toBe(others);
  });

  it("returns the result of a promise, and clears its timer", async () => {
    const others = vi.getTimerCount();
    expect(await withDeadline(limitMs, async () => 1)).toBe(1);
    await expect(withDeadline(limitMs, () => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
    expect(vi.getTimerCount()).toBe(others);
  });

  it("rejects after the deadline, or up to an eighth later", async () => {
    const late = [withDeadline(limitMs, () => never), withDeadline(limitMs, () => never, "too late")];
    const settled = Promise.allSettled(late);
    await vi.advanceTimersByTimeAsync(lateMs);
    expect((await settled).map((each) => each.status === "rejected" && each.reason.message)).toEqual([
      `no response within ${limitMs} ms`,
      "too late",
    ]);
  });

  it("ends each of many waits by itself, and ignores a result after the deadline", async () => {
    const calls = Array.from({ length: 3 }, () => Promise.withResolvers<number>());
    const outcomes: string[] = [];
    for (const [index, { promise }] of calls.entries()) {
      const settled = (value: number) => outcomes.push(`${index}: ${value}`);
      settleWithin(limitMs, promise, settled, (cause) => outcomes.push(`${index}: ${(cause as Error).message}`));
    }
    // The calls share one timer.
    const others = vi.getTimerCount() - 1;
    calls[1]?.resolve(1);
    await vi.advanceTimersByTimeAsync(lateMs);
    calls[0]?.resolve(0);
    calls[2]?.reject(new Error("broken"));
    await vi.advanceTimersByTimeAsync(1);
    expect(outcomes).toEqual(["1: 1", `0: no response within ${limitMs} ms`, `2: no response within ${limitMs} ms`]);
    expect(vi.getTimerCount()).toBe(others);
  });

  it("accepts a result that arrived while the event loop was blocked", async () => {
    vi.useRealTimers();
    const answer = withDeadline(20, () => stat("."));
    block(100);
    expect((await answer).isDirectory()).toBe(true);
  });

  it("accepts the response to a request that was sent late and answered slowly due to blocks", async () => {
    vi.useRealTimers();
    const answer = withDeadline(200, async () => {
      for (let turn = 0; turn < 5; turn++) {
        await nextTurn();
        block(220);
      }
      return 1;
    });
    expect(await answer).toBe(1);
  });
});

describe("waitAtMost", () => {
  it("waits until the promise settles, and clears its timer", async () => {
    const others = vi.getTimerCount();
    await waitAtMost(1_000, Promise.resolve());
    await expect(waitAtMost(1_000, Promise.reject(new Error("broken")))).rejects.toThrow("broken");
    expect(vi.getTimerCount()).toBe(others);
  });

  it("waits no longer than the deadline, and ignores a later rejection", async () => {
    const { promise, reject } = Promise.withResolvers<void>();
    const waiting = waitAtMost(1_000, promise);
    await vi.advanceTimersByTimeAsync(1_000);
    await waiting;
    reject(new Error("late"));
  });
});

function block(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}
