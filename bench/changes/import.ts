import { spawn } from "node:child_process";
import { once } from "node:events";
import { createReadStream, createWriteStream, readFileSync } from "node:fs";
import { mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Redis } from "ioredis";
import { waitAtMost } from "../../src/application/async/deadline.ts";
import { startRedisProcess } from "../../test/support/redis-process.ts";
import { ownFeatures, tokenOf } from "../data.ts";
import { interrupted } from "../interruption.ts";
import { type Spread, spreadOf } from "../spread.ts";

const rounds = 3;
const cli = resolve(import.meta.dirname, "../../src/cli.ts");

/** An import, compared with `redis-cli --pipe`, which loads the same into another empty Redis. */
export type ImportFigures = {
  readonly users: number;
  /** Users per second. Each has a set and a token. */
  readonly pipe: Spread;
  readonly tidegate: Spread;
  /** The ratio of the rates in a round. */
  readonly ratio: Spread;
  /** The maximum resident memory of the importing process, in bytes. */
  readonly resident: number;
};

/** Both are timed from the start of a process to its end. */
export async function importing(users: number): Promise<ImportFigures> {
  await using folder = await mkdtempDisposable(join(tmpdir(), "tidegate-bench-import-"));
  const [lines, commands] = [join(folder.path, "users.ndjson"), join(folder.path, "users.resp")];
  await writeBoth(lines, commands, users);
  const found: { readonly pipe: number; readonly tidegate: number; readonly resident: number }[] = [];
  for (let round = 0; round < rounds; round++) {
    const pipe = await onEmptyRedis(users, (port) => timed("redis-cli", ["-p", `${port}`, "--pipe"], {}, commands));
    const tidegate = await onEmptyRedis(users, (port) => {
      const url = `redis://127.0.0.1:${port}`;
      const env = { REDIS_USERS_URL: url, REDIS_FEATURES_URL: url, TIDEGATE_DATA: folder.path };
      return timed(process.execPath, [cli, "import", lines], env);
    });
    found.push({ pipe: users / pipe.seconds, tidegate: users / tidegate.seconds, resident: tidegate.resident });
  }
  return {
    users,
    pipe: spreadOf(found.map(({ pipe }) => pipe)),
    tidegate: spreadOf(found.map(({ tidegate }) => tidegate)),
    ratio: spreadOf(found.map(({ pipe, tidegate }) => tidegate / pipe)),
    resident: Math.max(...found.map(({ resident }) => resident)),
  };
}

/** Writes the same users as lines for Tidegate, and as commands in Redis' protocol. */
async function writeBoth(lines: string, commands: string, users: number): Promise<void> {
  const [toLines, toCommands] = [createWriteStream(lines), createWriteStream(commands)];
  toLines.write('{"tidegate":1}\n');
  for (let user = 0; user < users; user++) {
    interrupted.throwIfAborted();
    const [set, features, token] = [`features:user:${user}`, [...ownFeatures(user)], tokenOf(user)];
    toCommands.write(command("SADD", set, ...features) + command("SET", `token:${token}`, `${user}`));
    const isRoom = toLines.write(
      `${JSON.stringify({ set, features })}\n${JSON.stringify({ token, user: `${user}` })}\n`,
    );
    if (!isRoom) await once(toLines, "drain");
    if (toCommands.writableNeedDrain) await once(toCommands, "drain");
  }
  for (const stream of [toLines, toCommands]) await once(stream.end(), "finish");
}

const command = (...words: readonly string[]): string =>
  `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join("")}`;

type Run = { readonly seconds: number; readonly resident: number };

/** Fails unless every user has a set and a token afterwards. */
async function onEmptyRedis(users: number, load: (port: number) => Promise<Run>): Promise<Run> {
  interrupted.throwIfAborted();
  await using opened = new AsyncDisposableStack();
  const { url, port, stop } = await startRedisProcess();
  opened.defer(stop);
  const run = await load(port);
  const redis = new Redis(url);
  opened.defer(() => redis.disconnect());
  const last = users - 1;
  const [features, user] = [await redis.scard(`features:user:${last}`), await redis.get(`token:${tokenOf(last)}`)];
  if (features !== ownFeatures(last).size || user !== `${last}` || (await redis.dbsize()) < 2 * users) {
    throw new Error("not every user was loaded");
  }
  return run;
}

/** Runs a process to its end. */
async function timed(file: string, args: readonly string[], env: NodeJS.ProcessEnv, input?: string): Promise<Run> {
  const before = performance.now();
  const child = spawn(file, args, {
    env: { PATH: process.env["PATH"], NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"], ...env },
    stdio: [input === undefined ? "ignore" : "pipe", "ignore", "ignore"],
    signal: interrupted,
  });
  if (input !== undefined && child.stdin) createReadStream(input).pipe(child.stdin);
  const ended = once(child, "exit");
  let resident = 0;
  while (child.exitCode === null && child.signalCode === null) {
    resident = peakOf(child.pid ?? 0) ?? resident;
    await waitAtMost(200, ended);
  }
  if (child.exitCode !== 0) throw new Error(`${file} ended with ${child.exitCode ?? child.signalCode}`);
  return { seconds: (performance.now() - before) / 1_000, resident };
}

/** The maximum resident memory of a process, in bytes; `undefined` once it has ended. */
function peakOf(pid: number): number | undefined {
  try {
    const [, kilobytes] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1_024;
  } catch {
    return undefined;
  }
}
