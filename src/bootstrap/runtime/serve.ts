import cluster from "node:cluster";
import { once } from "node:events";
import { flushCompileCache } from "node:module";
import { availableParallelism } from "node:os";
import packageJson from "../../../package.json" with { type: "json" };
import type { Fetch } from "../../adapters/http/server/request-listener.ts";
import { listen, type TryServe } from "../../adapters/http/server/server.ts";
import { waitAtMost } from "../../application/async/deadline.ts";
import { RecentTraffic } from "../../application/system/recent-traffic.ts";
import type { ReloadConfig } from "../../application/system/reload-config.ts";
import { InstanceChannel } from "../../infrastructure/invalidation/instance-channel.ts";
import { createLog, type Log } from "../../infrastructure/logger.ts";
import { InstanceMetrics, metricsReport } from "../../infrastructure/metrics/instance-metrics.ts";
import { SetupFailed } from "../../infrastructure/setup-failed.ts";
import { WorkerReports } from "../../infrastructure/workers/worker-reports.ts";
import { type Config, loadConfig } from "../config/config.ts";
import { configText } from "../config/yaml-file.ts";
import { checkDataFolder } from "./check-data-folder.ts";
import { receivedConfigurations, reloadAll, reportServing } from "./pool-worker.ts";
import type { ProcessContext } from "./process-context.ts";
import { reloader, sentencesOf, sourcesOf } from "./reloader.ts";
import { createRuntime, type Runtime } from "./runtime.ts";
import { type Signals, signals } from "./signals.ts";
import { runWorkers } from "./worker-pool.ts";

/** Limit for closing the previous runtime after a reload, in milliseconds. */
const maxCloseMs = 10_000;
/** Limit for the last requests of the warm-up, in milliseconds. */
const maxWarmUpMs = 500;
/** Limit for a configuration to become ready, in milliseconds. */
const readyWithinMs = 2_000;

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

/** A service that runs in this process. */
export type Service = {
  readonly url: string;
  readonly log: Log;
  /** Whether the service becomes ready within `limitMs`. */
  readonly readyWithin: (limitMs: number) => Promise<boolean>;
  /**
   * Switches to another configuration on the same address once it is ready. Rejects with `SetupFailed` if that takes
   * more than 2 s, and keeps the previous configuration.
   */
  readonly use: (config: Config) => Promise<void>;
  /** Drains, then closes everything. */
  readonly stop: () => Promise<void>;
};

/** Time after the start at which the parts are loaded that the first calls of clients do not need, in milliseconds. */
const laterMs = 300;

/** Options for serving. */
export type StartOptions = {
  /** Whether prepared responses bypass the route. Default: true. */
  readonly hasShortcut?: boolean;
  /** Whether hundreds of in-memory requests compile the code before listening. Default: unless requests are logged. */
  readonly isWarm?: boolean;
};

/** Wires a configuration and listens. Rejects, with everything closed, if the address is unavailable. */
export async function start(
  config: Config,
  env: NodeJS.ProcessEnv,
  options?: StartOptions,
): Promise<Service & { readonly reload: ReloadConfig }> {
  const stopping = new AbortController();
  const host = await hostFor(config, env, stopping.signal, (isDryRun) => reload(isDryRun));
  const service = await serving(await createRuntime(config, host), host, stopping, options);
  const reload = reloader(config, env, host.log, service.use);
  return { ...service, reload };
}

const hostFor = async (
  config: Config,
  env: NodeJS.ProcessEnv,
  stopping: AbortSignal,
  reloadConfig: ReloadConfig,
): Promise<ProcessContext> => ({
  env,
  log: createLog(config.log.level),
  stopping,
  metrics: new InstanceMetrics(),
  instance: await InstanceChannel.open(),
  reports: new WorkerReports("system"),
  readiness: new WorkerReports("readiness"),
  traffic: new RecentTraffic(Date.now),
  reloadConfig,
});

async function serving(
  first: Runtime,
  host: ProcessContext,
  stopping: AbortController,
  // With request logging, the warm-up would write hundreds of lines for requests of no client.
  { hasShortcut = true, isWarm = !first.config.log.requests }: StartOptions = {},
): Promise<Service> {
  await using opened = new AsyncDisposableStack();
  const { log } = host;
  let present = opened.use(first);
  first.report();
  let retired: Promise<unknown> = Promise.resolve();
  const fetch: Fetch = (request, environment) => present.fetch(request, environment);
  const shortcut: TryServe = (incoming, outgoing, next) => hasShortcut && present.shortcut(incoming, outgoing, next);
  const rejected = (status: number, method: string | undefined) => present.rejected(status, method);
  const warmed = async () => {
    // A warm-up request may still wait for a store.
    await waitAtMost(maxWarmUpMs, first.idle());
    first.resetCounters();
  };
  const limits = () => present.config.server.limits;
  const { url, stop } = await listen(
    fetch,
    shortcut,
    rejected,
    { ...first.config.server, isWarm, warmed, limits },
    log,
  );
  const loadLater = () =>
    Promise.all([first.loadRoutes(), host.metrics.load(), import("../../adapters/http/server/request-listener.ts")]);
  // A failure is reported by the requests that need the routes.
  setTimeout(() => void loadLater().catch(() => {}), laterMs).unref();
  const link = await first.signInLink();
  if (link) console.log(`Sign in once, within 15 minutes: ${url}/backoffice/#link=${link}`);
  log.info(
    { url, config: first.config.file, sources: sourcesOf(first.config), version: packageJson.version },
    "started",
  );
  opened.move();

  const use = async (config: Config): Promise<void> => {
    await using unused = new AsyncDisposableStack();
    // The cached values must survive the reload: a store may be unreachable.
    await present.writeSnapshot();
    const next = unused.use(await createRuntime(config, host));
    await next.loadRoutes();
    const missing = await next.unready(AbortSignal.timeout(readyWithinMs));
    if (missing.length > 0) throw new SetupFailed(missing.join("\n"));
    if (stopping.signal.aborted)
      throw new SetupFailed("the service is stopping; start it again with this configuration");
    unused.move();
    const previous = present;
    present = next;
    present.report();
    log.level = config.log.level;
    retired = retired.then(() => closeIdle(previous, log));
  };
  return {
    url,
    log,
    readyWithin: async (limitMs) => (await present.unready(AbortSignal.timeout(limitMs))).length === 0,
    use,
    stop: async () => {
      stopping.abort();
      await stop(present.config.server.drainMs);
      await retired;
      await present[Symbol.asyncDispose]();
    },
  };
}

/** Closes the previous runtime after its requests have ended. Ignores a failure to close. */
async function closeIdle(previous: Runtime, log: Log): Promise<void> {
  await previous.idle();
  try {
    await waitAtMost(maxCloseMs, previous[Symbol.asyncDispose]());
  } catch (cause) {
    log.error({ cause: String(cause) }, "cannot close the previous configuration");
  }
}
