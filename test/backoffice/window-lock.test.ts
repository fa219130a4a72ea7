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

  it("leaves the claim of the next window alone when a window that was asleep is closed", () => {
    const asleep = openWindow();
    // Its claim lapses, because its timers are late.
    vi.setSystemTime(Date.now() + 10_001);
    const next = openWindow();
    expect(next.isHolder()).toBe(true);
    asleep.close();
    const last = openWindow();
    expect(last.isHolder()).toBe(false);
    for (const window of [next, last]) window.close();
  });
});
