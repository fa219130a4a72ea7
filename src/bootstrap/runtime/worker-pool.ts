import cluster, { type Worker } from "node:cluster";
import { connectWorkers } from "../../infrastructure/instance-channel.ts";
import type { Log } from "../../infrastructure/logger.ts";
import { addUpWorkers } from "../../infrastructure/metrics/scrape.ts";
import { SetupFailed } from "../../infrastructure/setup-failed.ts";
import { eventsUntil } from "./signals.ts";

const soonMs = 1_000;
const longestTrialMs = 15_000;

/** What a worker is handed. */
type Handed = {
  /** The text of a configuration. */
  readonly configuration: string;
  /** Whether others serve already, so that this one need not before it is ready. */
  readonly othersServe: boolean;
  /** Whether it may be refused; then an answer is waited for. */
  readonly isTrial: boolean;
};

/** What a worker tells: that it wants a configuration, where it serves, or what is wrong with one that was a trial. */
type Told = { readonly asks?: true; readonly serving?: string; readonly refused?: readonly string[] };

/** Processes that serve as one. */
export type WorkerPool = {
  /** Where they serve, once all do; rejects, and ends the others, when one ends before it has ever served. */
  readonly serving: Promise<string>;
  /** Resolves when they were stopped, and all have ended. */
  readonly ended: Promise<void>;
  /**
   * Has all use another configuration, also those that are started later. One tries it before the others: where that
   * one refuses it or ends, this rejects with `SetupFailed`, and all stay as they are.
   */
  readonly use: (configuration: string) => Promise<void>;
};

/**
 * Forks this process `size` times and keeps that many running until `stop`: one that dies is replaced, after a second
 * where it lived for less than that.
 */
export function runWorkers(size: number, configuration: string, stop: AbortSignal, log: Log): WorkerPool {
  const running = new Set<Worker>();
  const serving = new Set<Worker>();
  const { promise: allServe, resolve, reject } = Promise.withResolvers<string>();
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  let accepted = configuration;
  let complete = false;
  let stopping = false;
  let trial: { readonly worker: Worker; readonly answer: (refused: readonly string[]) => void } | undefined;

  const hand = (worker: Worker, text: string, isTrial = false) => {
    const handed: Handed = { configuration: text, othersServe: complete && serving.size > 0, isTrial };
    // One that is gone needs nothing.
    worker.send(handed, () => {});
  };
  const start = () => {
    const worker = cluster.fork();
    const startedAt = performance.now();
    running.add(worker);
    worker.on("message", ({ asks, serving: url, refused }: Told) => {
      if (asks) hand(worker, accepted);
      if (refused) trial?.answer(refused);
      if (url === undefined) return;
      serving.add(worker);
      complete ||= serving.size === size;
      if (complete) resolve(url);
    });
    worker.on("exit", (code, signal) => {
      running.delete(worker);
      const served = serving.delete(worker);
      if (worker === trial?.worker) trial.answer(["the worker that tried it ended; its message is above"]);
      if (stopping) {
        if (signal) log.warn({ worker: worker.process.pid, signal }, "a worker did not drain");
        if (running.size === 0) end();
      } else if (!served && !complete) {
        const how = signal ?? `exit code ${code}`;
        reject(new SetupFailed(`a worker ended before it served (${how}); its message is above`));
        stopAll();
      } else {
        log.error({ worker: worker.process.pid, code, signal }, "a worker died; starting another");
        const delay = performance.now() - startedAt < soonMs ? soonMs : 0;
        setTimeout(() => stopping || start(), delay);
      }
    });
  };
  const stopAll = () => {
    stopping = true;
    if (running.size === 0) end();
    for (const worker of running) worker.process.kill("SIGTERM");
  };
  const tried = async (worker: Worker, text: string): Promise<readonly string[]> => {
    const { promise: refused, resolve: answer } = Promise.withResolvers<readonly string[]>();
    trial = { worker, answer };
    const limit = setTimeout(() => worker.process.kill("SIGKILL"), longestTrialMs);
    hand(worker, text, true);
    return refused.finally(() => clearTimeout(limit));
  };
  const use = async (text: string) => {
    const [first] = serving;
    if (!first) throw new SetupFailed("no worker serves at present; send SIGHUP again when one does");
    const refused = await tried(first, text);
    if (refused.length > 0) throw new SetupFailed(refused.join("\n"));
    accepted = text;
    for (const worker of running) {
      if (worker === first) continue;
      if (serving.has(worker)) hand(worker, text);
      // One that does not serve yet was handed another; its successor asks for this one.
      else worker.process.kill("SIGTERM");
    }
  };

  addUpWorkers();
  connectWorkers();
  for (let count = 0; count < size; count++) start();
  stop.addEventListener("abort", stopAll);
  return { serving: allServe, ended, use };
}

/** What a worker is handed, one configuration after the other; asks for the first. */
export async function* handedConfigurations(stop: AbortSignal) {
  const messages = eventsUntil(stop, process, "message") as AsyncIterable<[Partial<Handed>]>;
  tell({ asks: true });
  for await (const [{ configuration, othersServe, isTrial }] of messages) {
    if (configuration === undefined) continue;
    const answer = isTrial ? (refused: readonly string[]) => tell({ refused }) : undefined;
    yield { text: configuration, othersServe, answer };
  }
}

/** Tells the process that forked this one that it serves. */
export const reportServing = (url: string): void => tell({ serving: url });

const tell = (told: Told): void => void process.send?.(told);
