import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Operator, startOperator } from "../../../support/operator.ts";
import { type RedisServer, startRedis } from "../../../support/redis.ts";
import { firstResult, until } from "../../../support/until.ts";

const noFlags = '{"flags":{}}';

describe("GET /admin/v1/system", () => {
  let redis: RedisServer;
  let folder: string;
  let operator: Operator & AsyncDisposable;
  beforeAll(async () => {
    redis = await startRedis();
    folder = mkdtempSync(join(tmpdir(), "tidegate-system-"));
    writeFileSync(join(folder, "flags.json"), noFlags);
    operator = await startOperator(
      `
connections:
  features: { kind: redis, url: "\${REDIS}" }
tokens: { connection: features }
events: { environment: staging, retentionDays: 30 }
sources:
  - { name: global, label: Everyone, kind: set, connection: features, key: global_features }
  - { name: user, kind: set, connection: features, key: "features:user:{userId}" }
  - { name: flags, kind: flagd, file: "${folder}/flags.json", onFailure: skip }
`,
      { REDIS: redis.url },
    );
    await operator.service.readyWithin(10_000);
  });
  afterAll(async () => {
    await operator[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  const system = async () => (await operator.get("/system")).body;

  it("has the version, the environment, the workers and the configuration without secrets", async () => {
    expect(await system()).toMatchObject({
      version: expect.stringMatching(/^\d+\./),
      environment: "staging",
      host: expect.any(String),
      workers: [{ pid: process.pid, startedAt: expect.any(String), residentBytes: expect.any(Number) }],
      workersMissing: 0,
      instances: [
        {
          pid: process.pid,
          version: expect.stringMatching(/^\d+\./),
          workers: [process.pid],
          lastSeen: expect.any(String),
          own: true,
        },
      ],
      instancesUnnamed: 0,
      eventLog: { kind: "sqlite", state: "answering", retentionDays: 30, deadLetters: 0 },
      configuration: {
        file: expect.stringContaining("tidegate.yaml"),
        overrides: { PORT: "0", HOST: "127.0.0.1", LOG_LEVEL: "silent" },
        document: { connections: { features: { kind: "redis", url: `$\{REDIS}` } } },
      },
    });
  });

  it("has the sources with their freshness, and the stores with their caches", async () => {
    await operator.put("/sources/global/features/menu");
    await operator.service.get("/features");
    type Source = { state: string; stale: boolean };
    const { sources, stores } = await firstResult(
      system,
      ({ sources, stores: [{ synced, state, changes }] }) =>
        synced &&
        state === "answering" &&
        changes !== "unknown" &&
        sources.every((source: Source) => source.state === "evaluated" && !source.stale),
      "the store answers in time, and the cache receives its changes",
    );
    expect(sources).toMatchObject([
      { name: "global", label: "Everyone", kind: "set", role: "grant", state: "evaluated", stale: false },
      { name: "user", label: null, state: "evaluated", asOf: null },
      { name: "flags", kind: "flagd", reads: `${folder}/flags.json`, lastError: null, feed: null },
    ]);
    expect(Date.parse(sources[0].asOf)).toBeGreaterThan(Date.now() - 60_000);
    expect(stores).toMatchObject([{ name: "features", kind: "redis", state: "answering", changes: "accepted" }]);
    const sets = stores[0].caches.find(({ content }: { content: string }) => content === "sets");
    expect(sets).toMatchObject({ keys: expect.any(Number), hits: expect.any(Number), misses: expect.any(Number) });
    expect((await operator.get("/sources")).body.sources.map(({ label }: { label: unknown }) => label)).toEqual([
      "Everyone",
      null,
      null,
    ]);
  });

  it("has the last error of a source, also after its recovery", async () => {
    writeFileSync(join(folder, "flags.json"), "{");
    const flags = async () => (await system()).sources[2];
    await until(async () => (await flags()).faults.length > 0, "the fault is seen");
    await operator.service.get("/features");
    const failing = await flags();
    expect(failing).toMatchObject({ error: expect.any(String), faults: [expect.any(String)] });
    writeFileSync(join(folder, "flags.json"), noFlags);
    await until(async () => (await flags()).error === null, "the source has recovered");
    expect(await flags()).toMatchObject({
      state: "evaluated",
      failures: expect.any(Number),
      lastError: { at: expect.any(String), message: expect.any(String) },
    });
  });

  it("has the traffic of the last minute, and the streams", async () => {
    for (let count = 0; count < 20; count++) await operator.service.get("/features");
    const stream = await operator.service.get("/features/stream");
    const { traffic, streams } = await system();
    expect(traffic.requestsPerSecond).toBeGreaterThan(0);
    expect(traffic.evaluationsPerSecond).toBeGreaterThan(0);
    expect(traffic.p99Ms).toBeGreaterThanOrEqual(traffic.p50Ms);
    expect(traffic.hitRate).toBeGreaterThan(0.5);
    expect(traffic.hitRate).toBeLessThanOrEqual(1);
    expect(streams).toEqual({ features: 1, ofrep: 0, events: 0 });
    await stream.body?.cancel().catch(() => {});
  });

  it("has the history in steps of 15 seconds", async () => {
    const { status, body } = await operator.get("/system/history");
    expect([status, body.stepSeconds]).toEqual([200, 15]);
    for (const { start } of body.points) expect(Date.parse(start) % 15_000).toBe(0);
  });

  // The last one that uses Redis.
  it("reports an unavailable store and stale sources", async () => {
    await redis[Symbol.asyncDispose]();
    const isStale = async () => {
      await operator.service.get("/features");
      return (await system()).sources[0].stale;
    };
    await until(isStale, "the source is stale");
    const { sources, stores } = await system();
    expect(sources[0]).toMatchObject({ state: "evaluated", error: expect.any(String) });
    expect(stores[0]).toMatchObject({ state: "failing", synced: false, changes: "unknown" });
  });

  it("is for operators", async () => {
    for (const path of ["/admin/v1/system", "/admin/v1/system/history"]) {
      expect((await operator.service.get(path)).status).toBe(401);
    }
  });
});
