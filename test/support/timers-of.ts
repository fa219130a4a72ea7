import { vi } from "vitest";

/**
 * Counts the timers with a delay, in milliseconds, that are set from now on and not cleared. Other parts of the process
 * set timers too, also of the store of a test.
 */
export function timersOf(delayMs: number): Disposable & { readonly pending: () => number } {
  const pending = new Set<unknown>();
  const { setTimeout, clearTimeout } = globalThis;
  const spies = [
    vi.spyOn(globalThis, "setTimeout").mockImplementation(((...given: Parameters<typeof setTimeout>) => {
      const timer = setTimeout(...given);
      if (given[1] === delayMs) pending.add(timer);
      return timer;
    }) as typeof setTimeout),
    vi.spyOn(globalThis, "clearTimeout").mockImplementation((timer) => {
      pending.delete(timer);
      clearTimeout(timer);
    }),
  ];
  return {
    pending: () => pending.size,
    [Symbol.dispose]: () => {
      for (const spy of spies) spy.mockRestore();
    },
  };
}
