import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { inOneWindow } from "../../backoffice/src/live/window-lock.ts";

/** Local storage, which all windows share. */
function storage() {
  const items = new Map<string, string>();
  return {
    getItem: (key: string) => items.get(key) ?? null,
    setItem: (key: string, value: string) => void items.set(key, value),
    removeItem: (key: string) => void items.delete(key),
  };
}

/** A window that takes part; it holds the lock while `isHolder`. */
function openWindow() {
  const closing = new AbortController();
  let held: AbortSignal | undefined;
  inOneWindow("stream", closing.signal, async (signal) => {
    held = signal;
  });
  return { isHolder: () => held?.aborted === false, close: () => closing.abort() };
}

describe("without locks of the browser, one window at a time", () => {
  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal("navigator", {});
    vi.stubGlobal("localStorage", storage());
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it("runs the task, the next one within a second after it is closed", () => {
    const [one, other] = [openWindow(), openWindow()];
    expect([one.isHolder(), other.isHolder()]).toEqual([true, false]);
    one.close();
    expect(one.isHolder()).toBe(false);
    vi.advanceTimersByTime(1_000);
    expect(other.isHolder()).toBe(true);
    other.close();
  });

  it("runs the task after the claim of another lapsed, which leaves that claim alone when it is closed", () => {
    const asleep = openWindow();
    const other = openWindow();
    vi.setSystemTime(Date.now() + 10_001);
    // The timers of the first window are late: only the other one claims.
    const late = localStorage.getItem("stream");
    const third = openWindow();
    expect(localStorage.getItem("stream")).not.toBe(late);
    expect(third.isHolder()).toBe(true);
    asleep.close();
    const fourth = openWindow();
    expect(fourth.isHolder()).toBe(false);
    for (const window of [other, third, fourth]) window.close();
  });
});
