import cluster, { type Worker } from "node:cluster";
import type { Log } from "./logger.ts";
import { SetupFailed } from "./setup-failed.ts";

const soonMs = 1_000;

/**
 * Forks this process `size` times and keeps that many running: one that dies is replaced, after a second
 * where it lived for less than that. Calls `announce` once all serve, with where they do. Resolves when
 * `stop` has, and every worker has ended; rejects when one ends before it has ever served.
 */
export async function runWorkers(
  size: number,
  announce: (url: string) => void,
  stop: Promise<NodeJS.Signals>,
  log: Log,
): Promise<void> {
  let stopping = false;
  let serving = 0;
  const running = new Set<Worker>();
  const { promise: ended, resolve, reject } = Promise.withResolvers<void>();

  const start = () => {
    const worker = cluster.fork();
    const startedAt = performance.now();
    let served = false;
    running.add(worker);
    worker.on("message", ({ serving: url }: { serving: string }) => {
      served = true;
      serving += 1;
      if (serving === size) announce(url);
    });
    worker.on("exit", (code, signal) => {
      running.delete(worker);
      if (stopping) {
        if (signal) log.warn({ worker: worker.process.pid, signal }, "a worker did not drain");
        if (running.size === 0) resolve();
      } else if (!served && serving < size) {
        reject(
          new SetupFailed(`a worker ended before it served (${signal ?? `exit code ${code}`}); its message is above`),
        );
      } else {
        log.error({ worker: worker.process.pid, code, signal }, "a worker died; starting another");
        const delay = performance.now() - startedAt < soonMs ? soonMs : 0;
        setTimeout(() => stopping || start(), delay);
      }
    });
  };
  const signalAll = (signal: NodeJS.Signals) => {
    for (const worker of running) worker.process.kill(signal);
  };

  for (let count = 0; count < size; count++) start();
  void stop.then((signal) => {
    stopping = true;
    if (running.size === 0) resolve();
    signalAll(signal);
  });
  try {
    await ended;
  } finally {
    stopping = true;
    signalAll("SIGTERM");
  }
}

/** Tells the process that forked this one, where one did, that it serves now. */
export function reportServing(url: string): void {
  process.send?.({ serving: url });
}
