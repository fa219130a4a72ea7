import { stat } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { waitAtMost, within } from "../../src/application/deadline.ts";

const never = new Promise<never>(() => {});

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("within", () => {
  it("returns a value that is no promise, and sets no timer", () => {
    expect(within(1_000, () => 1)).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("returns the result of a promise, and clears its timer", async () => {
    expect(await within(1_000, async () => 1)).toBe(1);
    await expect(within(1_000, () => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
    expect(vi.getTimerCount()).toBe(0);
  });

  it("rejects after the deadline", async () => {
    const late = [within(1_000, () => never), within(1_000, () => never, "too late")];
    const settled = Promise.allSettled(late);
    await vi.advanceTimersByTimeAsync(1_001);
    expect((await settled).map((each) => each.status === "rejected" && each.reason.message)).toEqual([
      "no answer within 1000 ms",
      "too late",
    ]);
  });

  it("accepts an answer that arrived while the event loop was blocked", async () => {
    vi.useRealTimers();
    const answer = within(20, () => stat("."));
    const until = performance.now() + 100;
    while (performance.now() < until);
    expect((await answer).isDirectory()).toBe(true);
  });
});

describe("waitAtMost", () => {
  it("waits until the promise settles, and clears its timer", async () => {
    await waitAtMost(1_000, Promise.resolve());
    await expect(waitAtMost(1_000, Promise.reject(new Error("broken")))).rejects.toThrow("broken");
    expect(vi.getTimerCount()).toBe(0);
  });

  it("waits no longer than the deadline, and ignores a later rejection", async () => {
    const { promise, reject } = Promise.withResolvers<void>();
    const waiting = waitAtMost(1_000, promise);
    await vi.advanceTimersByTimeAsync(1_000);
    await waiting;
    reject(new Error("late"));
  });
});
