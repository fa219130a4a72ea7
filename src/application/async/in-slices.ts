/** Longest time without a turn of the event loop, in milliseconds. */
const sliceMs = 1;
/** Microtasks within which cached work finishes. */
const maxMicrotasks = 30;

/**
 * Runs `work` for each item, and yields to other requests after each millisecond. Does not wait for work that waits for
 * a store. Items may be added and removed meanwhile.
 */
export async function inSlices<T>(items: Iterable<T>, work: (item: T) => void | Promise<void>): Promise<void> {
  let end = performance.now() + sliceMs;
  for (const item of items) {
    const pending = work(item);
    if (pending) await soon(pending);
    if (performance.now() < end) continue;
    await new Promise<void>((resolve) => void setImmediate(resolve));
    end = performance.now() + sliceMs;
  }
}

/** Waits for work that needs no I/O, so that it counts in its slice. */
async function soon(pending: Promise<void>): Promise<void> {
  let isPending = true;
  void pending.then(() => {
    isPending = false;
  });
  for (let turn = 0; isPending && turn < maxMicrotasks; turn++) await undefined;
}
