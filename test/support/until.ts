import { setTimeout } from "node:timers/promises";

/**
 * Waits until a condition holds; fails with its name at the time limit. Checks it every 5 ms at first and every 25 ms
 * later, because most conditions are HTTP calls, which take processor time from what is waited for.
 */
export async function until(
  condition: () => boolean | Promise<boolean>,
  name: string,
  limitMs = 60_000,
): Promise<void> {
  const start = performance.now();
  while (!(await condition())) {
    const waitedMs = performance.now() - start;
    if (waitedMs > limitMs) throw new Error(`it did not happen within ${limitMs} ms that ${name}`);
    await setTimeout(Math.min(Math.max(5, waitedMs / 10), 25));
  }
}

/** The first result of a call that meets a condition. Repeats the call as {@link until} checks its condition. */
export async function firstResult<T>(
  call: () => Promise<T>,
  isWanted: (result: T) => boolean | Promise<boolean>,
  name: string,
): Promise<T> {
  let result: T | undefined;
  await until(async () => {
    result = await call();
    return isWanted(result);
  }, name);
  return result as T;
}
