import cluster from "node:cluster";
import { availableParallelism } from "node:os";
import { setTimeout } from "node:timers/promises";
import packageJson from "../package.json" with { type: "json" };
import { exitingWell } from "./adapters/cli/exit.ts";
import { httpApp } from "./adapters/http/app.ts";
import { PreparedAnswers } from "./adapters/http/prepared-answers.ts";
import { listen } from "./adapters/http/server.ts";
import { shortcut } from "./adapters/http/shortcut.ts";
import { type Config, defaultFile, loadConfig } from "./config.ts";
import { compose } from "./container.ts";
import { createLog, type Log } from "./infrastructure/logger.ts";
import { reportServing, runWorkers } from "./infrastructure/worker-pool.ts";
import { Tokens } from "./tokens.ts";

/** Serves until SIGTERM or SIGINT, then drains. Prints one line with the URL once it serves. */
export async function serve(file: string, env: NodeJS.ProcessEnv): Promise<void> {
  const config = await loadConfig(file, env);
  const stop = new Promise<NodeJS.Signals>((resolve) => {
    // Both may come again: from a terminal to all processes at once, and from the process that forked this one.
    process.on("SIGTERM", resolve).on("SIGINT", resolve);
  });
  const workers = config.server.workers === "auto" ? availableParallelism() : config.server.workers;
  const announce = (url: string) => console.log(`Tidegate serves at ${url}`);
  if (cluster.isWorker) return serveHere(config, env, stop, reportServing).finally(() => cluster.worker?.disconnect());
  if (workers === 1) return serveHere(config, env, stop, announce);
  return runWorkers(workers, announce, stop, createLog(config.log.level));
}

async function serveHere(
  config: Config,
  env: NodeJS.ProcessEnv,
  stop: Promise<NodeJS.Signals>,
  announce: (url: string) => void,
): Promise<void> {
  const service = await start(config, env);
  if (!(await service.readyWithin(2_000))) service.log.warn("serving, but not ready: a store or a source is away");
  announce(service.url);
  service.log.info({ signal: await stop }, "stopping");
  await service.stop();
  service.log.info("stopped");
}

/** A service that answers in this process. */
export type Service = {
  readonly url: string;
  readonly log: Log;
  /** Whether it has become ready before `limitMs` are over. */
  readonly readyWithin: (limitMs: number) => Promise<boolean>;
  /** Drains, and closes everything. */
  readonly stop: () => Promise<void>;
};

/**
 * Wires a configuration and listens. Rejects, with nothing left open, when the address cannot be had. Without the shortcut all calls
 * take their route, as they do where requests are logged or other origins may ask.
 */
export async function start(config: Config, env: NodeJS.ProcessEnv, hasShortcut = true): Promise<Service> {
  await using opened = new AsyncDisposableStack();
  const composition = opened.use(compose(config, env));
  const log = composition.get(Tokens.Log);
  const checkReadiness = composition.get(Tokens.CheckReadiness);
  const answers = new PreparedAnswers(config.cache.capacity, composition.get(Tokens.Clock));
  let stopping = false;
  const app = httpApp({
    resolveFeatures: composition.get(Tokens.ResolveFeatures),
    checkReadiness,
    answers,
    isStopping: () => stopping,
    log,
    logRequests: config.log.requests,
    corsOrigins: config.server.cors?.origins ?? [],
    version: packageJson.version,
  });
  // What follows finds the stores connected; one that cannot be had is no reason not to serve.
  await Promise.allSettled([...composition.get(Tokens.Connections).values()].map((store) => store.connected()));
  const quick = hasShortcut && !config.log.requests && !config.server.cors ? shortcut(answers) : undefined;
  const server = await listen(app.fetch, quick, config.server.host, config.server.port, log);
  const sources = config.sources.map(({ name, kind, role }) => `${name} (${kind}, ${role})`);
  log.info({ url: server.url, config: config.file, sources, version: packageJson.version }, "started");
  const open = opened.move();
  return {
    url: server.url,
    log,
    readyWithin: async (limitMs) => {
      const deadline = performance.now() + limitMs;
      while (!(await checkReadiness.execute()).ready) {
        if (performance.now() > deadline) return false;
        await setTimeout(20);
      }
      return true;
    },
    stop: async () => {
      stopping = true;
      await server.stop(config.server.drainMs);
      await open.disposeAsync();
    },
  };
}

if (import.meta.main) await exitingWell(() => serve(defaultFile(process.env), process.env));
