import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { document, type FeedServer, json, startFeedServer } from "../support/feed-server.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { startService } from "../support/service.ts";
import { TcpProxy } from "../support/tcp-proxy.ts";
import { until } from "../support/until.ts";

const show = (id: number) => ({ id, name: `Show ${id}`, from: "2020-01-01", to: "2999-01-01" });

let folder: string;
let redis: RedisServer;
let proxy: TcpProxy;
let feedServer: FeedServer;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "tidegate-feed-away-"));
  redis = await startRedis();
  proxy = await TcpProxy.to(redis.port);
  feedServer = await startFeedServer(json({ shows: [show(1)] }));
});
afterEach(async () => {
  await feedServer[Symbol.asyncDispose]();
  await proxy[Symbol.asyncDispose]();
  await redis[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

const started = () =>
  startService(`
connections: { features: { kind: redis, url: "redis://127.0.0.1:${proxy.port}" } }
cache: { snapshot: { file: ${JSON.stringify(join(folder, "snapshot.ndjson"))} } }
sources:
  - name: shows
    kind: feed
    connection: features
    pollSeconds: 1
    document: { url: "${feedServer.url}", allow: [127.0.0.1] }
    item: { at: shows, id: "{id}", title: name, window: { start: from, end: to }, features: ["show:{id}"] }
`);

const featuresOf = async (service: Awaited<ReturnType<typeof started>>) => {
  const response = await service.get("/features");
  return response.ok ? ((await response.json()) as { active_features: string[] }).active_features : response.status;
};

it("a process that starts without Redis polls feeds into memory, and writes them to Redis later", async () => {
  proxy.cut();
  await using service = await started();
  await until(async () => `${await featuresOf(service)}` === "show:1", "the feed is read into memory");
  proxy.heal();
  await until(async () => (await redis.client.hlen("tidegate:items:{shows}")) === 1, "Redis has the item");
  expect(await featuresOf(service)).toEqual(["show:1"]);
});

it("a process that starts without Redis and without the feed's server serves the items of the snapshot", async () => {
  const before = await started();
  await until(async () => `${await featuresOf(before)}` === "show:1", "the feed is read");
  await before[Symbol.asyncDispose]();
  proxy.cut();
  feedServer.answer = document("", "text/plain");
  await using service = await started();
  expect(await featuresOf(service)).toEqual(["show:1"]);
  expect((await service.get("/search")).status).toBe(200);
});

it("an item that was listed only during the Redis outage stays known to all, with the time of its listing", async () => {
  await using one = await started();
  await until(async () => `${await featuresOf(one)}` === "show:1", "the feed is read");
  proxy.cut();
  feedServer.answer = json({ shows: [show(1), show(2)] });
  await until(async () => `${await featuresOf(one)}` === "show:1,show:2", "the feed is read while Redis is away");
  feedServer.answer = json({ shows: [show(1)] });
  const { length } = feedServer.requests;
  await until(() => feedServer.requests.length >= length + 2, "it is not listed");
  proxy.heal();
  await until(async () => (await redis.client.hlen("tidegate:items:{shows}")) === 2, "Redis has both");
  expect(await featuresOf(one)).toEqual(["show:1", "show:2"]);
  const item = JSON.parse((await redis.client.hget("tidegate:items:{shows}", "2")) ?? "");
  expect(item).toMatchObject({ wasOffered: true, lastListedAt: expect.any(Number) });
});
