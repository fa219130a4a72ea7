/**
 * Runs a task, again for at most `maxMs` while the database is locked: enabling WAL on a new file fails at once while
 * another process does the same, despite the busy timeout.
 */
export function whileFree(maxMs: number, task: () => void): void {
  const deadline = performance.now() + maxMs;
  while (true) {
    try {
      task();
      return;
    } catch (error) {
      if (!/locked/.test(String(error)) || performance.now() > deadline) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    }
  }
}
