import { monitorEventLoopDelay } from "node:perf_hooks";

/**
 * Returns the result of the first run of `action` in which the event loop was not blocked for longer than time limits
 * allow for. A block lets them end early, so its run proves nothing about them.
 */
export async function unblocked<T>(action: () => Promise<T>, maxBlockMs = 150): Promise<T> {
  for (;;) {
    const delays = monitorEventLoopDelay({ resolution: 10 });
    delays.enable();
    const result = await action();
    delays.disable();
    if (delays.max < maxBlockMs * 1e6) return result;
  }
}
