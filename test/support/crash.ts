import { randomUUID } from "node:crypto";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { Redis } from "ioredis";
import { describe, expect, it } from "vitest";
import { markerKey } from "../../src/infrastructure/redis/empty-store-guard.ts";
import { freePort } from "./free-port.ts";
import { Killable } from "./killable.ts";
import { killablePostgres } from "./killable-postgres.ts";
import { TestProcess } from "./process.ts";
import { redisRules } from "./service.ts";
import { TcpProxy } from "./tcp-proxy.ts";
import { until } from "./until.ts";

/** The test that no change is lost. */
export function crashRun(changes: number): void {
  describe("under kills of instances, Redis and PostgreSQL, cut connections, raw edits, a flush and a rollback", () => {
    it("keep every acknowledged change in the log once, without gaps in the revisions, and with the content of the sets", {
      timeout: 600_000 + changes * 100,
    }, async () => {
      const { faults, ...run } = await runCrash(changes);
      console.log(run);
      expect(faults).toEqual([]);
      expect(run.acknowledged).toBeGreaterThanOrEqual(changes);
      expect(Object.keys(run.kills)).toHaveLength(5);
      expect(run.rawEdits).toBeGreaterThan(10);
    });
  });
}

/** The result of a run, with one sentence for each fault. */
type Crash = {
  readonly acknowledged: number;
  readonly rawEdits: number;
  readonly kills: Readonly<Record<string, number>>;
  readonly events: number;
  readonly faults: readonly string[];
};

type Logged = {
  readonly id: string;
  readonly position: number;
  readonly recorded_by: string;
  readonly data: {
    readonly type: string;
    readonly key: string;
    readonly origin: string;
    readonly revision: string;
    readonly note?: string;
    readonly added: readonly string[];
    readonly removed: readonly string[];
    readonly members?: readonly string[];
  };
};

const adminToken = "a-credential-for-the-crash-test";
const writers = 12;
const longMs = 60_000;

const sets = ["active_features", "global_features", "features:user:1", "location:madrid"] as const;
const targets = [
  { source: "active", query: "" },
  { source: "global", query: "" },
  { source: "user", query: "userId=1&" },
  { source: "location", query: "location=madrid&" },
] as const;

/**
 * Clients change sets through two instances and repeat each change, under one Idempotency-Key, until it is
 * acknowledged. Others edit the same sets with raw commands. They continue until each disaster has happened. Meanwhile
 * instances, Redis (which syncs each command to disk before it replies) and PostgreSQL are killed and restarted, and
 * connections are cut. At the end Redis is emptied, and then restored from an older copy. After each part the log is
 * compared with the acknowledged changes and with the sets.
 */
async function runCrash(changes: number): Promise<Crash> {
  await using stack = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), "tidegate-crash-"));
  stack.defer(() => rmSync(folder, { recursive: true, force: true }));

  const redisPort = await freePort();
  const redisFolder = mkdtempSync(join(folder, "redis-"));
  const redisSettings = ["--port", `${redisPort}`, "--bind", "127.0.0.1", "--save", "", "--dir", redisFolder];
  const durably = ["--appendonly", "yes", "--appendfsync", "always", "--auto-aof-rewrite-percentage", "0"];
  const redis = stack.use(new Killable(redisPort, ["redis-server", ...redisSettings, ...durably]));
  await redis.start();
  const postgres = stack.use(await killablePostgres());
  await postgres.start();
  const [toRedis, toPostgres] = [await TcpProxy.to(redisPort), await TcpProxy.to(postgres.port)];
  stack.use(toRedis);
  stack.use(toPostgres);

  const raw = new Redis(redisPort, "127.0.0.1", { retryStrategy: () => 50, maxRetriesPerRequest: 0 });
  raw.on("error", () => {});
  stack.defer(() => raw.disconnect());

  const file = join(folder, "tidegate.yaml");
  const redisUrl = `redis://127.0.0.1:${toRedis.port}`;
  writeFileSync(
    file,
    `${redisRules(redisUrl, redisUrl)}  - { name: location, kind: set, connection: features, key: "location:{location}" }\n`,
  );
  const instances = [await freePort(), await freePort()].map(
    (port) => new Instance(port, file, `postgres://postgres@127.0.0.1:${toPostgres.port}/postgres`),
  );
  for (const instance of instances) stack.use(instance);
  await Promise.all(instances.map((instance) => instance.start()));

  const acknowledged = new Map<string, string>();
  const kills: Record<string, number> = {};
  let [begun, rawEdits, rounds, over] = [0, 0, 0, false];

  async function write(writer: number): Promise<void> {
    while (begun < changes || rounds < 1) {
      begun += 1;
      const note = `change ${begun}`;
      const { source, query } = pick(targets);
      const method = Math.random() < 0.55 ? "PUT" : "DELETE";
      const path = `/admin/v1/sources/${source}/features/feature_${Math.floor(Math.random() * 40)}?${query}note=${encodeURIComponent(note)}`;
      const headers = { authorization: `Bearer ${adminToken}`, "idempotency-key": randomUUID() };
      for (let attempt = 0; ; attempt++) {
        const url = instances[(writer + attempt) % instances.length]?.url + path;
        const response = await fetch(url, { method, headers, signal: AbortSignal.timeout(5_000) }).catch(
          () => undefined,
        );
        const text = await response?.text().catch(() => undefined);
        if (response?.status === 200 && text !== undefined) break;
        if (response && response.status < 500) throw new Error(`${method} ${path}: ${response.status} ${text}`);
        await setTimeout(20);
      }
      acknowledged.set(note, source);
      await setTimeout(Math.random() * 20);
    }
  }

  async function edit(): Promise<void> {
    while (!over) {
      const command = Math.random() < 0.5 ? "sadd" : "srem";
      await raw[command](pick(sets), `feature_${Math.floor(Math.random() * 40)}`).then(
        () => {
          rawEdits += 1;
        },
        () => {},
      );
      await setTimeout(40);
    }
  }

  const disasters: Readonly<Record<string, () => Promise<void>>> = {
    "an instance": () => pick(instances).killAndStart(),
    Redis: async () => {
      await redis.kill();
      await redis.start();
    },
    PostgreSQL: async () => {
      await postgres.kill();
      await setTimeout(Math.random() * 500);
      await postgres.start();
    },
    "connections to Redis": () => cut(toRedis),
    "connections to PostgreSQL": () => cut(toPostgres),
  };

  async function destroy(): Promise<void> {
    while (!over) {
      for (const [name, strike] of Object.entries(disasters)) {
        if (over) return;
        await strike();
        kills[name] = (kills[name] ?? 0) + 1;
        await setTimeout(100 + Math.random() * 400);
      }
      rounds += 1;
    }
  }

  const destroying = destroy();
  const editing = edit();
  await Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)));
  over = true;
  await Promise.all([destroying, editing]);
  const [instance] = instances;
  if (!instance) throw new Error("there is no instance");

  const faults: string[] = [];
  const check = async (when: string) => {
    await logged(instance, raw, when);
    const events = await changesIn(instance);
    for (const fault of faultsIn(events, acknowledged)) faults.push(`${when}: ${fault}`);
    for (const fault of await differences(events, raw)) faults.push(`${when}: ${fault}`);
    return events.length;
  };
  await check("after the kills");

  // A copy of the present store; later changes will be lost.
  const older = join(folder, "older");
  cpSync(redisFolder, older, { recursive: true });
  await raw.sadd("global_features", "lost_by_hand");
  await instance.change("PUT", "/admin/v1/sources/global/features/lost_through_tidegate");
  await check("before the flush");
  await raw.flushall();
  await check("after the flush");
  // As `tidegate stores accept` does: the store is empty on purpose.
  await raw.set(markerKey, "1");
  await instance.change("PUT", "/admin/v1/sources/active/features/after_the_flush");
  await check("after a change on what was flushed");
  await redis.kill();
  rmSync(redisFolder, { recursive: true });
  cpSync(older, redisFolder, { recursive: true });
  await redis.start();
  await instance.change("PUT", "/admin/v1/sources/active/features/after_the_rollback");
  const events = await check("after the rollback");

  return { acknowledged: acknowledged.size, rawEdits, kills, events, faults };
}

/** A service in its own process. */
class Instance implements AsyncDisposable {
  readonly url: string;
  readonly #env: NodeJS.ProcessEnv;
  #process: TestProcess | undefined;

  constructor(port: number, file: string, databaseUrl: string) {
    this.url = `http://127.0.0.1:${port}`;
    this.#env = {
      PORT: `${port}`,
      HOST: "127.0.0.1",
      TIDEGATE_CONFIG: file,
      TIDEGATE_ADMIN_TOKEN: adminToken,
      DATABASE_URL: databaseUrl,
      LOG_LEVEL: "silent",
    };
  }

  async start(): Promise<void> {
    this.#process = new TestProcess(["src/main.ts"], this.#env);
    await this.#process.url();
  }

  async killAndStart(): Promise<void> {
    this.#process?.signalGroup("SIGKILL");
    await this.#process?.exit();
    await this.start();
  }

  get(path: string): Promise<Response> {
    return fetch(this.url + path, { headers: { authorization: `Bearer ${adminToken}` } });
  }

  /** Makes a change, with retries. */
  async change(method: string, path: string): Promise<void> {
    const headers = { authorization: `Bearer ${adminToken}`, "idempotency-key": randomUUID() };
    await until(
      async () => (await fetch(this.url + path, { method, headers })).status === 200,
      `${method} ${path} is acknowledged`,
      longMs,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process?.[Symbol.asyncDispose]();
  }
}

async function cut(proxy: TcpProxy): Promise<void> {
  proxy.cut();
  await setTimeout(Math.random() * 400);
  proxy.heal();
}

/**
 * Waits until the log has all changes so far, also raw ones: the outbox is empty, and the log equals the sets. Gives up
 * at the time limit.
 */
async function logged(instance: Instance, raw: Redis, when: string): Promise<void> {
  const isLogged = async () => {
    const response = await instance.get("/health/ready").catch(() => undefined);
    const { records } = ((await response?.json().catch(() => undefined)) ?? {}) as {
      records?: { log: string; waiting: Record<string, { entries: number } | null> };
    };
    if (records?.log !== "answering") return false;
    if (Object.values(records.waiting).some((backlog) => backlog?.entries !== 0)) return false;
    return (await differences(await changesIn(instance), raw)).length === 0;
  };
  await until(isLogged, `the log tells what the sets hold, ${when}`, longMs).catch(() => {});
}

/** All events of sets, oldest first. */
async function changesIn(instance: Instance): Promise<Logged[]> {
  const response = await instance.get("/events/export?format=ndjson&component=features");
  const lines = (await response.text()).split("\n").filter(Boolean);
  return lines.map((line): Logged => JSON.parse(line)).filter(({ data }) => data.type === "set");
}

function faultsIn(events: readonly Logged[], acknowledged: ReadonlyMap<string, string>): string[] {
  const faults: string[] = [];
  const notes = Map.groupBy(events, ({ data }) => data.note);
  for (const [note] of acknowledged) {
    const times = notes.get(note)?.length ?? 0;
    if (times !== 1) faults.push(`${note} was acknowledged and stands ${times} times in the log`);
  }
  const epochs = Map.groupBy(events, ({ data }) => `${data.key} ${data.revision.split(".")[0]}`);
  for (const [epoch, all] of epochs) {
    const numbers = all.map(({ data }) => Number(data.revision.split(".")[1]));
    const gap = numbers.findIndex((number, index) => number !== (numbers[index - 1] ?? 0) + 1);
    if (gap >= 0) faults.push(`${epoch}: ${numbers[gap]} follows ${numbers[gap - 1] ?? 0}`);
  }
  return faults;
}

/** The differences between the log's content of the sets and the sets. */
async function differences(events: readonly Logged[], raw: Redis): Promise<string[]> {
  const faults: string[] = [];
  for (const key of sets) {
    const folded = fold(events.filter(({ data }) => data.key === key));
    const real = new Set(await raw.smembers(key));
    const odd = [...folded.symmetricDifference(real)];
    if (odd.length > 0) faults.push(`${key}: the log and the set differ in ${odd.join(", ")}`);
  }
  return faults;
}

function fold(events: readonly Logged[]): Set<string> {
  let set = new Set<string>();
  for (const { data } of events) {
    if (data.members) {
      set = new Set(data.members);
    } else {
      for (const feature of data.added) set.add(feature);
      for (const feature of data.removed) set.delete(feature);
    }
  }
  return set;
}

const pick = <T>(all: readonly T[]): T => all[Math.floor(Math.random() * all.length)] as T;
