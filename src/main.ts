import cluster from "node:cluster";
import { availableParallelism } from "node:os";
import packageJson from "../package.json" with { type: "json" };
import { exitingWell } from "./adapters/cli/exit.ts";
import { httpApp } from "./adapters/http/app.ts";
import { listen } from "./adapters/http/server.ts";
import type { CheckReadiness } from "./application/check-readiness.ts";
import { type Config, defaultFile, loadConfig } from "./config.ts";
import { compose } from "./container.ts";
import { createLog } from "./infrastructure/logger.ts";
import { reportServing, runWorkers } from "./infrastructure/worker-pool.ts";
import { Tokens } from "./tokens.ts";

/** Serves until SIGTERM or SIGINT, then drains. Prints one line with the URL once it serves. */
export async function serve(file: string, env: NodeJS.ProcessEnv): Promise<void> {
  const config = await loadConfig(file, env);
  const stop = new Promise<NodeJS.Signals>((resolve) => {
    process.once("SIGTERM", resolve).once("SIGINT", resolve);
  });
  const workers = config.server.workers === "auto" ? availableParallelism() : config.server.workers;
  const announce = (url: string) => console.log(`Tidegate serves at ${url}`);
  if (cluster.isWorker) return serveHere(config, env, stop, reportServing);
  if (workers === 1) return serveHere(config, env, stop, announce);
  return runWorkers(workers, announce, stop, createLog(config.log.level));
}

async function serveHere(
  config: Config,
  env: NodeJS.ProcessEnv,
  stop: Promise<NodeJS.Signals>,
  announce: (url: string) => void,
): Promise<void> {
  await using composition = compose(config, env);
  const log = composition.get(Tokens.Log);
  const checkReadiness = composition.get(Tokens.CheckReadiness);
  let stopping = false;
  const app = httpApp({
    resolveFeatures: composition.get(Tokens.ResolveFeatures),
    checkReadiness,
    isStopping: () => stopping,
    log,
    logRequests: config.log.requests,
    corsOrigins: config.server.cors?.origins ?? [],
    version: packageJson.version,
  });
  const server = await listen(app.fetch, config.server.host, config.server.port);
  const sources = config.sources.map(({ name, kind, role }) => `${name} (${kind}, ${role})`);
  log.info({ url: server.url, config: config.file, sources, version: packageJson.version }, "started");
  if (!(await readyWithin(2_000, checkReadiness))) log.warn("serving, but not ready: a store or a source is away");
  announce(server.url);
  const signal = await stop;
  stopping = true;
  log.info({ signal }, "stopping");
  await server.stop(config.server.drainMs);
  log.info("stopped");
}

/** Waits for the stores, so that the first call after the announcement finds them connected. */
async function readyWithin(limitMs: number, checkReadiness: CheckReadiness): Promise<boolean> {
  const start = performance.now();
  while (performance.now() - start < limitMs) {
    if ((await checkReadiness.execute()).ready) return true;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return false;
}

if (import.meta.main) await exitingWell(() => serve(defaultFile(process.env), process.env));
