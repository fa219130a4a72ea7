import { execFileSync, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { resolve } from "node:path";
import { freePort, startRedisProcess } from "../test/support/redis-process.ts";
import { type Contestant, contestant } from "./contestant.ts";
import { fill, tokenOf, userCount } from "./data.ts";
import { type KillSwitch, killSwitch } from "./kill-switch.ts";
import { type Load, load, rotating } from "./wrk.ts";

const root = resolve(import.meta.dirname, "..");
const rounds = Number(process.env["ROUNDS"] ?? 5);
const seconds = Number(process.env["SECONDS"] ?? 3);
const connections = [32, 128] as const;
const trials = Number(process.env["TRIALS"] ?? 5_000);
const reference = "bare node:http";

for (const [tool, install] of [
  ["wrk", "wrk"],
  ["taskset", "util-linux"],
  ["redis-server", "redis-server"],
] as const) {
  if (spawnSync("which", [tool]).status !== 0) {
    console.error(`The benchmark needs ${tool}, which is not here; on Debian: apt-get install -y ${install}`);
    process.exit(1);
  }
}

const redis = await startRedisProcess();
await fill(redis.url);
const bearer = Array.from({ length: userCount }, (_, user) => ({ Authorization: `Bearer ${tokenOf(user)}` }));
const script = rotating(bearer);
const contestants = new Map<string, Contestant>();
const results = new Map<string, Load[]>();
try {
  const tidegate = await start("Tidegate", ["src/main.ts"], {
    REDIS_USERS_URL: redis.url,
    REDIS_FEATURES_URL: redis.url,
    HOST: "127.0.0.1",
    LOG_LEVEL: "warn",
    WEB_CONCURRENCY: "1",
  });
  const body = await (await fetch(tidegate.url, { headers: bearer[0] ?? {} })).text();
  await start(reference, ["bench/server-bare.ts"], { BODY: body });
  // Every user once or more, so that what is measured is what is remembered.
  for (const { url } of contestants.values()) await load(url, 32, 8, script);
  for (let round = 1; round <= rounds; round++) {
    for (const count of connections) {
      for (const [name, { url }] of contestants) {
        await load(url, count, 1, script);
        const measured = await load(url, count, seconds, script);
        results.set(`${name} ${count}`, [...(results.get(`${name} ${count}`) ?? []), measured]);
        console.log(`round ${round}, ${count} connections, ${name}: ${Math.round(measured.perSecond)} calls a second`);
      }
    }
  }
} finally {
  for (const { stop } of contestants.values()) await stop();
  await redis.stop();
}
const killed = await killSwitch([process.execPath, resolve(root, "src/main.ts")], trials, 4);
writeFileSync(resolve(root, "docs/benchmarks.md"), page(killed));

async function start(name: string, command: readonly string[], env: NodeJS.ProcessEnv): Promise<Contestant> {
  const started = await contestant(
    [process.execPath, ...command.map((part) => resolve(root, part))],
    await freePort(),
    env,
  );
  contestants.set(name, started);
  return started;
}

/** The median of some figures, with the least and the largest. */
function spread(figures: readonly number[], digits: number): string {
  const sorted = [...figures].sort((a, b) => a - b);
  const at = (index: number) => (sorted[index] ?? Number.NaN).toFixed(digits);
  return `${at(Math.floor(sorted.length / 2))} [${at(0)} to ${at(sorted.length - 1)}]`;
}

function page({ millis, processes }: KillSwitch): string {
  const percentile = (part: number) =>
    (millis[Math.min(millis.length - 1, Math.floor(millis.length * part))] ?? 0).toFixed(1);
  const rows = connections.flatMap((count) =>
    [...contestants.keys()].map((name) => {
      const runs = results.get(`${name} ${count}`) ?? [];
      const base = results.get(`${reference} ${count}`) ?? [];
      const ratio = (pick: (run: Load) => number) =>
        spread(
          runs.map((run, index) => pick(run) / pick(base[index] ?? run)),
          2,
        );
      const rate = spread(
        runs.map(({ perSecond }) => perSecond / 1_000),
        1,
      );
      return `| ${name} | ${count} | ${rate} | ${ratio(({ perSecond }) => perSecond)} | ${spread(
        runs.map(({ p50 }) => p50),
        2,
      )} | ${spread(
        runs.map(({ p99 }) => p99),
        1,
      )} | ${ratio(({ p99 }) => p99)} |`;
    }),
  );
  const redisVersion = /v=([\d.]+)/.exec(execFileSync("redis-server", ["--version"], { encoding: "utf8" }))?.[1];
  return `<!-- Written by \`make bench\`. -->

# Benchmarks

Made on ${new Date().toISOString().slice(0, 10)} on ${cpus().length} × ${cpus()[0]?.model.trim()}, Node ${process.versions.node}, Redis ${redisVersion}, by \`make bench\`:
each server on processor 0, the load (wrk) on processor 1, ${rounds} interleaved rounds of ${seconds} s after a second of
warm-up, all users asked for before, ${userCount.toLocaleString("en")} users whose tokens rotate, 20 global and 50 active features, 15 features a user. The median of the rounds, with
the least and the largest; ratios are formed within a round. \`${reference}\` answers a constant body of the same size and
headers. No call failed.

| server | connections | thousand calls a second | ratio to bare | p50 ms | p99 ms | p99, ratio to bare |
| --- | --- | --- | --- | --- | --- | --- |
${rows.join("\n")}

## Kill switch

A feature is taken out of \`active_features\` by a raw \`SREM\`, ${millis.length.toLocaleString("en")} times, and ${processes} processes on one processor are asked over
HTTP until every one answers without it. From Redis's answer to the last process's, the asking included: median
${percentile(0.5)} ms, p99 ${percentile(0.99)} ms, p99.9 ${percentile(0.999)} ms, longest ${percentile(1)} ms.
`;
}
