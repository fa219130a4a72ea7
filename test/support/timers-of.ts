/**
 * Counts the timers with a delay, in milliseconds, that are set from now on and not cleared. Other parts of the process
 * set timers too, also of the store of a test. Not by spies, which restore the functions of a fake clock once more when
 * the file ends.
 */
export function timersOf(delayMs: number): Disposable & { readonly pending: () => number } {
  const pending = new Set<unknown>();
  const { setTimeout, clearTimeout } = globalThis;
  const set = (...given: Parameters<typeof setTimeout>) => {
    const timer = setTimeout(...given);
    if (given[1] === delayMs) pending.add(timer);
    return timer;
  };
  const clear = (timer: Parameters<typeof clearTimeout>[0]) => {
    pending.delete(timer);
    clearTimeout(timer);
  };
  Object.assign(globalThis, { setTimeout: set, clearTimeout: clear });
  return {
    pending: () => pending.size,
    [Symbol.dispose]: () => void Object.assign(globalThis, { setTimeout, clearTimeout }),
  };
}
