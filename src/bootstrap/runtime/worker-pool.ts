import cluster, { type Worker } from "node:cluster";
import { configExit } from "../../adapters/cli/report-failure.ts";
import type { ReloadConfig } from "../../application/system/reload-config.ts";
import { connectWorkers } from "../../infrastructure/invalidation/instance-channel.ts";
import type { Log } from "../../infrastructure/logger.ts";
import { OperationFailed } from "../../infrastructure/operation-failed.ts";
import { SetupFailed } from "../../infrastructure/setup-failed.ts";
import { gatherReports } from "../../infrastructure/workers/worker-reports.ts";
import type { ConfigurationMessage, ReloadMessage, WorkerMessage } from "./pool-messages.ts";

const soonMs = 1_000;
const maxTrialMs = 15_000;

/** A pool of worker processes that serve one address. */
export type WorkerPool = {
  /**
   * Resolves with the URL once all workers serve. Rejects, and stops all workers, if one exits before it has served.
   */
  readonly serving: Promise<string>;
  /** Resolves when all workers have exited after a stop. */
  readonly ended: Promise<void>;
  /**
   * Switches all workers, including later ones, to another configuration. One worker tries it first. If that worker
   * rejects it or exits, this rejects with `SetupFailed`, and all keep the previous configuration.
   */
  readonly use: (configuration: string) => Promise<void>;
  /** Sets the function that workers call to reload the configuration. */
  readonly onReload: (reload: ReloadConfig) => void;
};

/**
 * Forks this process `size` times and keeps that many workers running until `stop`. Replaces a worker that exits, after
 * 1 s if it ran for less than 1 s.
 */
export function runWorkers(size: number, configuration: string, stop: AbortSignal, log: Log): WorkerPool {
  const running = new Set<Worker>();
  const serving = new Set<Worker>();
  const { promise: allServe, resolve, reject } = Promise.withResolvers<string>();
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  let accepted = configuration;
  let complete = false;
  let stopping = false;
  let reloadConfig: ReloadConfig = async () => ({ problems: ["the workers are starting; try again later"] });
  let trial: { readonly worker: Worker; readonly reply: (problems: readonly string[]) => void } | undefined;

  const send = (worker: Worker, text: string, isDryRun = false) => {
    const message: ConfigurationMessage = { configuration: text, othersServe: complete && serving.size > 0, isDryRun };
    // A worker that has exited needs no message.
    worker.send(message, () => {});
  };
  const start = () => {
    const worker = cluster.fork();
    const startedAt = performance.now();
    running.add(worker);
    worker.on("message", ({ requestsConfiguration, serving: url, problems, reload }: WorkerMessage) => {
      if (reload) void replyToReload(worker, reload);
      if (requestsConfiguration) send(worker, accepted);
      if (problems) trial?.reply(problems);
      if (url === undefined) return;
      serving.add(worker);
      complete ||= serving.size === size;
      if (complete) resolve(url);
    });
    worker.on("exit", (code, signal) => {
      running.delete(worker);
      const served = serving.delete(worker);
      if (worker === trial?.worker) trial.reply(["the worker that loaded it ended; see its message above"]);
      if (stopping) {
        if (signal) log.warn({ worker: worker.process.pid, signal }, "worker did not drain in time");
        if (running.size === 0) end();
      } else if (!served && !complete) {
        const how = signal ?? `exit code ${code}`;
        const Failure = code === configExit ? SetupFailed : OperationFailed;
        reject(new Failure(`a worker ended before it was ready (${how}); see its message above`));
        stopAll();
      } else {
        log.error({ worker: worker.process.pid, code, signal }, "worker exited unexpectedly; starting another");
        const delay = performance.now() - startedAt < soonMs ? soonMs : 0;
        setTimeout(() => stopping || start(), delay);
      }
    });
  };
  const replyToReload = async (worker: Worker, { id, isDryRun }: NonNullable<WorkerMessage["reload"]>) => {
    const result = await reloadConfig(isDryRun);
    worker.send({ reloaded: { id, result } } satisfies ReloadMessage, () => {});
  };
  const stopAll = () => {
    stopping = true;
    if (running.size === 0) end();
    for (const worker of running) worker.process.kill("SIGTERM");
  };
  const tryOut = async (worker: Worker, text: string): Promise<readonly string[]> => {
    const { promise: problems, resolve: reply } = Promise.withResolvers<readonly string[]>();
    trial = { worker, reply };
    const limit = setTimeout(() => worker.process.kill("SIGKILL"), maxTrialMs);
    send(worker, text, true);
    return problems.finally(() => clearTimeout(limit));
  };
  const use = async (text: string) => {
    const [first] = serving;
    if (!first) throw new SetupFailed("no worker is ready; send SIGHUP again later");
    const problems = await tryOut(first, text);
    if (problems.length > 0) throw new SetupFailed(problems.join("\n"));
    accepted = text;
    for (const worker of running) {
      if (worker === first) continue;
      if (serving.has(worker)) send(worker, text);
      // A worker that does not serve yet has an older configuration. Its replacement requests this one.
      else worker.process.kill("SIGTERM");
    }
  };

  connectWorkers();
  gatherReports();
  for (let count = 0; count < size; count++) start();
  stop.addEventListener("abort", stopAll);
  const onReload = (reload: ReloadConfig) => {
    reloadConfig = reload;
  };
  return { serving: allServe, ended, use, onReload };
}
