import { readFileSync, writeFileSync } from "node:fs";
import { mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Redis } from "ioredis";
import { parse, stringify } from "yaml";
import { startRedisProcess } from "../../test/support/redis-process.ts";
import { until } from "../../test/support/until.ts";
import { bearer, Client, checkAnswers } from "../client.ts";
import { fill, tokenOf, userCount } from "../data.ts";
import { type Server, startServer } from "../process.ts";
import { everDifferent, rotating } from "../wrk.ts";
import type { Contestant } from "./contestant.ts";

const root = resolve(import.meta.dirname, "../..");

type Options = {
  /** Only if it differs from `redisUrl`. */
  readonly usersUrl?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly nodeOptions?: readonly string[];
  readonly processors?: string;
  /** The path to request until it responds. */
  readonly path?: string;
};

/** Starts Tidegate as one process, with its configuration for Redis. */
export async function startTidegate(
  opened: AsyncDisposableStack,
  redisUrl: string,
  { usersUrl = redisUrl, env = {}, nodeOptions = [], ...options }: Options = {},
): Promise<Server> {
  const data = opened.use(await mkdtempDisposable(join(tmpdir(), "tidegate-bench-data-")));
  return startServer(opened, [process.execPath, ...nodeOptions, resolve(root, "src/main.ts")], {
    path: "/features",
    ...options,
    env: {
      REDIS_USERS_URL: usersUrl,
      REDIS_FEATURES_URL: redisUrl,
      HOST: "127.0.0.1",
      LOG_LEVEL: "error",
      WEB_CONCURRENCY: "1",
      TIDEGATE_DATA: data.path,
      // As `make run` sets it.
      NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"] ?? "",
      ...env,
    },
  });
}

/** Starts a Redis with users in it. */
export async function startFilledRedis(opened: AsyncDisposableStack, users = userCount): Promise<string> {
  const { url, stop } = await startRedisProcess();
  opened.defer(stop);
  await fill(url, users);
  return url;
}

/** All users in turn. */
export const everyUser = (): string =>
  rotating(Array.from({ length: userCount }, (_, user) => ({ headers: bearer(tokenOf(user)) })));

/** Entries that are unused while others are measured would expire after a minute, and a hit would be a miss. */
export const cacheForAnHour = { GLOBAL_CACHE_EXPIRY: "3600" };

/** Calls for each user, twice: the first call caches the reads of a response, the second the response. */
async function cacheResponses(url: string): Promise<void> {
  using client = new Client();
  for (let call = 0; call < 2; call++) await client.askForEach(url, userCount);
}

/** Every response is cached. */
export async function hits(opened: AsyncDisposableStack, redisUrl: string): Promise<Contestant> {
  const server = await startTidegate(opened, redisUrl, { env: cacheForAnHour });
  await cacheResponses(server.url);
  return { name: "Tidegate, hit", server, script: everyUser(), check: () => checkAnswers(server.url) };
}

/** Every caller has the current response. */
export async function notModified(opened: AsyncDisposableStack, redisUrl: string): Promise<Contestant> {
  const server = await startTidegate(opened, redisUrl, { env: cacheForAnHour });
  await cacheResponses(server.url);
  using client = new Client();
  const etags: string[] = [];
  await client.askForEach(server.url, userCount, (user, { headers }) => {
    etags[user] = `${headers["etag"]}`;
  });
  const calls = etags.map((etag, user) => ({ headers: { ...bearer(tokenOf(user)), "If-None-Match": etag } }));
  return {
    name: "Tidegate, 304",
    server,
    script: rotating(calls),
    check: async () => {
      await checkAnswers(server.url);
      using another = new Client();
      for (const { headers } of calls.slice(0, 20)) {
        const { status } = await another.ask(server.url, headers);
        if (status !== 304) throw new Error(`an answer that has not changed came with ${status}`);
      }
    },
  };
}

/** The token and the set of each caller are evicted before its next request. The shared sets are cached. */
export async function misses(opened: AsyncDisposableStack, redisUrl: string): Promise<Contestant> {
  const server = await startTidegate(opened, redisUrl, { env: { CACHE_CAPACITY: `${userCount / 10}` } });
  return { name: "Tidegate, miss", server, script: everyUser(), check: () => checkAnswers(server.url) };
}

/** No token is known, and each is a new one. */
export async function unknownTokens(opened: AsyncDisposableStack, redisUrl: string): Promise<Contestant> {
  const server = await startTidegate(opened, redisUrl);
  const script = everDifferent({ headers: bearer("unknown-#") });
  const check = () => checkAnswers(server.url);
  return { name: "Tidegate, unknown token", server, script, check, isRejected: true };
}

/** Redis is stopped after a request for every user. */
export async function stale(opened: AsyncDisposableStack): Promise<Contestant> {
  const redis = await startRedisProcess();
  opened.defer(redis.stop);
  await fill(redis.url, userCount);
  const folder = opened.use(await mkdtempDisposable(join(tmpdir(), "tidegate-stale-"))).path;
  const file = join(folder, "stale.yaml");
  // A run may take longer than the default ten minutes for which a cached token is served.
  const cache = { maxStaleSeconds: { tokens: 86_400 } };
  const config = parse(readFileSync(resolve(root, "config/tidegate.yaml"), "utf8"));
  writeFileSync(file, stringify({ ...config, cache }));
  const server = await startTidegate(opened, redis.url, { env: { TIDEGATE_CONFIG: file, LOG_LEVEL: "silent" } });
  using client = new Client();
  await client.ask(server.url);
  await cacheResponses(server.url);
  await redis.stop();
  const isStale = async () => `${(await client.ask(server.url)).headers["cache-status"]}`.includes("stale");
  await until(isStale, "responses are marked as stale");
  return {
    name: "Tidegate, stale",
    server,
    script: everyUser(),
    check: () =>
      checkAnswers(server.url, {
        unknownStatus: 503,
        also: ({ headers }) =>
          `${headers["cache-status"]}`.includes("stale") ? undefined : "it is not marked as stale",
      }),
  };
}

/** Watches a Redis: every command that it receives meanwhile, with its arguments. */
export async function watched(url: string, task: () => Promise<void>): Promise<readonly (readonly string[])[]> {
  const redis = new Redis(url);
  const monitor = await redis.monitor();
  const seen: string[][] = [];
  monitor.on("monitor", (_time: string, command: string[]) => seen.push(command));
  await task();
  // MONITOR reports in order: earlier commands of Redis have been reported before this one.
  await redis.echo("watched");
  await until(() => seen.some(([name]) => name?.toLowerCase() === "echo"), "MONITOR has reported all commands");
  monitor.disconnect();
  redis.disconnect();
  return seen.filter(([name]) => name?.toLowerCase() !== "echo");
}
