import { setTimeout } from "node:timers/promises";

/** Waits until a condition holds; fails with its name at the time limit. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  name: string,
  limitMs = 60_000,
): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`it did not happen within ${limitMs} ms that ${name}`);
    await setTimeout(5);
  }
}
