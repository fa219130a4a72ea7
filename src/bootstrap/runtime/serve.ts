import cluster from "node:cluster";
import { once } from "node:events";
import { flushCompileCache } from "node:module";
import { availableParallelism } from "node:os";
import type { ReloadConfig } from "../../application/system/reload-config.ts";
import { createLog, type Log } from "../../infrastructure/logger.ts";
import { metricsReport } from "../../infrastructure/metrics/instance-metrics.ts";
import { type Config, loadConfig } from "../config/config.ts";
import { configText } from "../config/yaml-file.ts";
import { checkDataFolder } from "./check-data-folder.ts";
import { receivedConfigurations, reloadAll, reportServing } from "./pool-worker.ts";
import { reloader, sentencesOf } from "./reloader.ts";
import { createRuntime, type Runtime } from "./runtime.ts";
import { hostFor, readyWithinMs, type Service, serving, start } from "./service.ts";
import { type Signals, signals } from "./signals.ts";
import { runWorkers } from "./worker-pool.ts";

/**
 * Serves until SIGTERM, SIGINT or the loss of its terminal, then drains. Prints one line with the URL when ready.
 * SIGHUP reloads the configuration. An invalid one is rejected, and the previous one stays active.
 */
export async function serve(file: string, env: NodeJS.ProcessEnv): Promise<void> {
  const { stop, reloads } = signals();
  if (cluster.isWorker) return serveAsWorker(file, env, stop).finally(() => cluster.worker?.disconnect());
  const text = configText(file);
  const config = await loadConfig(file, env, text);
  checkDataFolder(config);
  const workers = config.server.workers === "auto" ? availableParallelism() : config.server.workers;
  if (workers === 1) return serveAlone(config, env, { stop, reloads });
  const log = createLog(config.log.level);
  const { addUpWorkers } = await import("../../infrastructure/metrics/scrape.ts");
  addUpWorkers(metricsReport);
  const pool = runWorkers(workers, text, stop, log);
  const url = await Promise.race([pool.serving, pool.ended]);
  if (url) announce(url, log);
  const reload = reloader(config, env, log, async (next) => {
    await pool.use(next.text);
    log.level = next.log.level;
  });
  pool.onReload(reload);
  await reloadOn(reloads, reload);
  await pool.ended;
}

async function serveAlone(config: Config, env: NodeJS.ProcessEnv, { stop, reloads }: Signals): Promise<void> {
  const service = await start(config, env);
  const stopped = stopOn(stop, service);
  await awaitReady(service);
  announce(service.url, service.log);
  await reloadOn(reloads, service.reload);
  await stopped;
}

/**
 * Serves each configuration that the primary process sends. If other workers already serve, accepts connections only
 * when ready. Exits if it cannot apply a configuration that another worker applied, so that it is replaced.
 */
async function serveAsWorker(file: string, env: NodeJS.ProcessEnv, stop: AbortSignal): Promise<void> {
  const received = receivedConfigurations(stop);
  const { value: first } = await received.next();
  if (!first) return;
  const config = await loadConfig(file, env, first.text);
  const stopping = new AbortController();
  const host = await hostFor(config, env, stopping.signal, reloadAll);
  const runtime = await createRuntime(config, host);
  if (first.othersServe) await untilReady(runtime, host.log, stop);
  if (stop.aborted) return runtime[Symbol.asyncDispose]();
  const service = await serving(runtime, host, stopping);
  const stopped = stopOn(stop, service);
  await awaitReady(service);
  reportServing(service.url);
  try {
    for await (const { text, reply } of received) {
      const used = loadConfig(file, env, text).then(service.use);
      if (reply) reply(await used.then(() => [], sentencesOf));
      else await used;
    }
  } catch (error) {
    if (!stop.aborted) {
      await service.stop();
      throw error;
    }
  }
  await stopped;
}

async function untilReady(runtime: Runtime, log: Log, stop: AbortSignal): Promise<void> {
  const missing = await runtime.unready(AbortSignal.any([stop, AbortSignal.timeout(readyWithinMs)]));
  if (missing.length === 0 || stop.aborted) return;
  log.warn({ missing }, "not ready; the other workers serve meanwhile");
  await runtime.unready(stop);
}

async function reloadOn(requests: AsyncIterable<unknown>, reload: ReloadConfig): Promise<void> {
  for await (const _ of requests) await reload(false);
}

async function awaitReady({ readyWithin, log }: Service): Promise<void> {
  if (!(await readyWithin(readyWithinMs))) log.warn("serving, but not ready: a store or a source is unavailable");
}

function announce(url: string, log: Log): void {
  console.log(`Tidegate serves at ${url}`);
  // By default the cache is written only at an orderly exit.
  flushCompileCache();
  log.info({ url }, "serving");
}

async function stopOn(stop: AbortSignal, service: Service): Promise<void> {
  if (!stop.aborted) await once(stop, "abort");
  service.log.info({ signal: stop.reason }, "stopping");
  await service.stop();
  service.log.info("stopped");
}
