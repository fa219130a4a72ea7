import packageJson from "../../../package.json" with { type: "json" };
import type { Fetch } from "../../adapters/http/server/request-listener.ts";
import { listen, type TryServe } from "../../adapters/http/server/server.ts";
import { waitAtMost } from "../../application/async/deadline.ts";
import { RecentTraffic } from "../../application/system/recent-traffic.ts";
import type { ReloadConfig } from "../../application/system/reload-config.ts";
import { InstanceChannel } from "../../infrastructure/invalidation/instance-channel.ts";
import { createLog, type Log } from "../../infrastructure/logger.ts";
import { InstanceMetrics } from "../../infrastructure/metrics/instance-metrics.ts";
import { SetupFailed } from "../../infrastructure/setup-failed.ts";
import { WorkerReports } from "../../infrastructure/workers/worker-reports.ts";
import type { Config } from "../config/config.ts";
import type { ProcessContext } from "./process-context.ts";
import { reloader, sourcesOf } from "./reloader.ts";
import { createRuntime, type Runtime } from "./runtime.ts";

/** Limit for closing the previous runtime after a reload, in milliseconds. */
const maxCloseMs = 10_000;
/** Limit for the last requests of the warm-up, in milliseconds. */
const maxWarmUpMs = 500;
/** Limit for a configuration to become ready, in milliseconds. */
export const readyWithinMs = 2_000;

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

/** What the runtimes of this process share. */
export const hostFor = async (
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

/** Listens with a runtime. Rejects, with everything closed, if the address is unavailable. */
export async function serving(
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
