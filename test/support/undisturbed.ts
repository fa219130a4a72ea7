import { monitorEventLoopDelay } from "node:perf_hooks";

/** A lease of 1 s is renewed every 200 ms, and lets a read of 200 ms end late. */
const longestBlockMs = 150;

/**
 * Returns the result of the first run of `action` in which the event loop was not blocked for longer than limits allow
 * for. A block ends leases and time limits early, so its run proves nothing about them.
 */
export async function undisturbed<T>(action: () => Promise<T>): Promise<T> {
  for (;;) {
    const delays = monitorEventLoopDelay({ resolution: 10 });
    delays.enable();
    const result = await action();
    delays.disable();
    if (delays.max < longestBlockMs * 1e6) return result;
  }
}
