/**
 * A task that runs again each time `everyMs` after it ended, until it is stopped. `failed` is called for each run that
 * rejects before that. Keeps no process alive.
 */
export function repeated(task: () => Promise<unknown>, everyMs: number, failed: (cause: unknown) => void) {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  let isStopped = false;

  async function run(): Promise<void> {
    await task().catch((cause) => isStopped || failed(cause));
    start(everyMs);
  }

  /** Runs the task after a delay. */
  function start(ms: number): void {
    if (isStopped) return;
    timer = setTimeout(() => {
      running = run();
    }, ms).unref();
  }

  /** Resolves when a run in progress has ended. */
  async function stop(): Promise<void> {
    isStopped = true;
    clearTimeout(timer);
    await running;
  }

  return { start, stop };
}
