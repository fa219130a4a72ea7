import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { loadConfig } from "../../../src/bootstrap/config/config.ts";
import { type RedisServer, startRedis } from "../../support/redis.ts";
import { bearer, redisRules, startService, type TestService } from "../../support/service.ts";
import { TcpProxy } from "../../support/tcp-proxy.ts";
import { until } from "../../support/until.ts";

let redis: RedisServer;
let proxy: TcpProxy;
let folder: string;
beforeEach(async () => {
  redis = await startRedis();
  proxy = await TcpProxy.to(redis.port);
  folder = mkdtempSync(join(tmpdir(), "tidegate-reload-"));
  await redis.client.set("token:1234", "1");
  await redis.client.sadd("global_features", "feature_1", "feature_2");
});
afterEach(async () => {
  for (const each of [proxy, redis]) await each[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

const pepper = { TIDEGATE_TOKEN_PEPPER: "a-pepper-of-the-tests" };
const rules = (more = "") => {
  const url = `redis://127.0.0.1:${proxy.port}`;
  return `${more}${redisRules(url, url)}`;
};
const withSnapshot = () => rules(`cache: { snapshot: { file: "${join(folder, "snapshot.ndjson")}" } }\n`);

const ask = async (service: TestService, token?: string) => {
  const response = await service.get("/features", token ? bearer(token) : {});
  return { status: response.status, body: await response.text(), mark: response.headers.get("cache-status") };
};
const both = '{"active_features":["feature_1","feature_2"]}';

/** Reloads the service with a configuration, as SIGHUP does. */
async function reload(service: TestService, yaml: string): Promise<void> {
  const file = join(folder, "tidegate.yaml");
  writeFileSync(file, yaml);
  await service.use(await loadConfig(file, { ...pepper, PORT: "0", HOST: "127.0.0.1", LOG_LEVEL: "silent" }));
}

async function readyOn(yaml: string): Promise<TestService> {
  const service = await startService(yaml, pepper);
  expect(await service.readyWithin(10_000)).toBe(true);
  await until(async () => (await ask(service, "1234")).body === both, "it serves");
  return service;
}

it("a reload does not accept a store that has lost its data", async () => {
  await using service = await readyOn(rules());
  await redis.client.flushall();
  await until(async () => (await ask(service)).mark !== null, "cached responses are marked");
  await expect(reload(service, rules())).rejects.toThrow(/is unavailable/);
  expect(await ask(service)).toMatchObject({ status: 200, body: both, mark: expect.stringContaining("stale") });
});

it("a reload keeps the cached data of a store that has lost its data, with a snapshot", async () => {
  await using service = await readyOn(withSnapshot());
  await redis.client.flushall();
  await until(async () => (await ask(service)).mark !== null, "cached responses are marked");
  await reload(service, withSnapshot());
  for (const token of [undefined, "1234"]) {
    const answer = await ask(service, token);
    expect(answer).toMatchObject({ status: 200, body: both, mark: expect.stringContaining("stale") });
  }
});

it("a reload during an outage does not restore a feature that was killed just before", async () => {
  await using service = await readyOn(withSnapshot());
  await redis.client.sadd("tidegate:killed", "feature_1");
  const killed = '{"active_features":["feature_2"]}';
  await until(async () => (await ask(service)).body === killed, "it is off");
  proxy.cut();
  await until(async () => (await ask(service)).mark !== null, "cached responses are marked");
  await reload(service, withSnapshot());
  expect(await ask(service)).toMatchObject({ status: 200, body: killed, mark: expect.stringContaining("stale") });
});

it("a source that cannot be closed does not stop the service", async () => {
  const source = (feature: string) => {
    const file = join(folder, `${feature}.js`);
    writeFileSync(
      file,
      `export const source = {
        summary: "", options: ({ z }) => z.strictObject({}), example: {},
        create: () => ({
          resolve: () => ({ features: new Map([["${feature}", { on: true, value: true, reason: "STATIC" }]]) }),
          dispose: () => Promise.reject(new Error("not to be closed")),
        }),
      };`,
    );
    return `sources: [{ name: a, kind: ./${feature}.js }]`;
  };
  const load = async (yaml: string) => {
    const file = join(folder, "tidegate.yaml");
    writeFileSync(file, yaml);
    const env = { PORT: "0", HOST: "127.0.0.1", LOG_LEVEL: "silent", TIDEGATE_SOURCE_FOLDERS: folder };
    return loadConfig(file, env);
  };
  const [first, second] = [await load(source("first")), await load(source("second"))];
  await using service = await startService("sources: [{ name: a, kind: static, features: { before: true } }]");
  for (const config of [first, second, first]) await service.use(config);
  expect((await ask(service)).body).toBe('{"active_features":["first"]}');
  await service.use(await load("sources: [{ name: a, kind: static, features: { after: true } }]"));
  expect((await ask(service)).body).toBe('{"active_features":["after"]}');
});
