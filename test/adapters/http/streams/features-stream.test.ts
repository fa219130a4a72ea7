import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { adminToken } from "../../../support/operator.ts";
import { emptied, type RedisServer, startRedis } from "../../../support/redis.ts";
import { basic, bearer, redisRules, settled, startService, type TestService } from "../../../support/service.ts";
import { StreamReader } from "../../../support/stream-reader.ts";
import { until } from "../../../support/until.ts";

const env = { TIDEGATE_ADMIN_TOKEN: adminToken };
/** Opens a stream. A store may be slow on a busy machine: then retries, as the response says. */
async function open(service: TestService, headers: Record<string, string> = {}, query = ""): Promise<StreamReader> {
  const stream = await StreamReader.open(`${service.url}/features/stream${query}`, headers);
  if (stream.response.headers.get("retry-after") !== "1") return stream;
  await stream[Symbol.asyncDispose]();
  return open(service, headers, query);
}

const sets = ({ messages }: StreamReader): string[][] => messages.map(({ data }) => JSON.parse(data).active_features);
const send = (service: TestService, method: string, path: string, body?: object) =>
  fetch(`${service.url}/admin/v1${path}`, {
    method,
    headers: { ...bearer(adminToken), "content-type": "application/json" },
    ...(body && { body: JSON.stringify(body) }),
  });

describe("the stream of features over Redis", () => {
  let redis: RedisServer;
  let service: TestService;
  beforeAll(async () => {
    redis = await startRedis();
    const yaml = `${redisRules(redis.url, redis.url)}
  - { name: times, kind: schedule, connection: features }
`;
    service = await startService(yaml, env);
    await service.readyWithin(10_000);
  });
  afterAll(async () => {
    await service[Symbol.asyncDispose]();
    await redis[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    await emptied(redis.client);
    await redis.client.mset("token:1234", "1", "token:5678", "2");
    await redis.client.sadd("global_features", "feature_1", "feature_2");
    await redis.client.sadd("active_features", "feature_3");
    await redis.client.sadd("features:user:1", "feature_3");
    await settled(redis.client, service);
  });

  it("begins with the set of GET /features, with its ETag as id", async () => {
    await using stream = await open(service, basic("1234"));
    await until(() => stream.messages.length === 1, "the set arrives");
    const response = await service.get("/features", basic("1234"));
    expect(stream.messages).toEqual([{ id: response.headers.get("etag"), data: await response.text() }]);
    expect(stream.response.headers.get("content-type")).toBe("text/event-stream");
    expect(stream.response.headers.get("cache-control")).toBe("no-store");
    expect(stream.retry).toBeGreaterThanOrEqual(1_000);
    expect(stream.retry).toBeLessThanOrEqual(5_000);
  });

  it("sends each change of the caller's features, and nothing for changes of other callers", async () => {
    await using one = await open(service, bearer("1234"));
    await using two = await open(service, bearer("5678"));
    await until(() => one.messages.length + two.messages.length === 2, "both begin");
    await redis.client.srem("features:user:1", "feature_3");
    await until(() => one.messages.length === 2, "the change arrives");
    await redis.client.srem("global_features", "feature_2");
    await until(() => one.messages.length === 3 && two.messages.length === 2, "the change for both arrives");
    expect(sets(one)).toEqual([["feature_1", "feature_2", "feature_3"], ["feature_1", "feature_2"], ["feature_1"]]);
    expect(sets(two)).toEqual([["feature_1", "feature_2"], ["feature_1"]]);
    expect(one.messages[2]).toEqual(two.messages[1]);
  });

  it("sends the current features on connection, unless the Last-Event-ID matches", async () => {
    const etag = (await service.get("/features")).headers.get("etag") ?? "";
    await using resumed = await open(service, { "last-event-id": etag });
    await using outdated = await open(service, { "last-event-id": `"${"x".repeat(43)}"` });
    await until(() => outdated.messages.length === 1 && resumed.retry > 0, "both begin");
    await redis.client.sadd("global_features", "feature_9");
    await until(() => outdated.messages.length === 2 && resumed.messages.length === 1, "the change arrives");
    expect(sets(resumed)).toEqual([["feature_1", "feature_2", "feature_9"]]);
  });

  it.each(["x", "", "*", "-1", "ÿ", "9".repeat(4_000)])("ignores the Last-Event-ID %j", async (id) => {
    await using stream = await open(service, { "last-event-id": id });
    expect(stream.response.status).toBe(200);
    await until(() => stream.messages.length === 1, "the set arrives");
  });

  it("sends the features at a time boundary", async () => {
    const startsAt = new Date(Date.now() + 1_500).toISOString();
    await using stream = await open(service);
    await until(() => stream.messages.length === 1, "the stream begins");
    const put = await send(service, "PUT", "/sources/times/rules/soon", { windows: [{ startsAt }] });
    expect(put.status).toBeLessThan(300);
    await until(() => stream.messages.length === 2, "the feature begins");
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(startsAt));
    expect(sets(stream)[1]).toContain("soon");
  });

  it("sends a change while requests never pause", async () => {
    await using stream = await open(service, bearer("1234"));
    await until(() => stream.messages.length === 1, "the stream begins");
    let isOver = false;
    const asking = Array.from({ length: 8 }, async () => {
      while (!isOver) await (await service.get("/features", bearer("5678"))).text();
    });
    await redis.client.srem("features:user:1", "feature_3");
    await until(() => stream.messages.length === 2, "the change arrives");
    isOver = true;
    await Promise.all(asking);
  });

  it("ends when the token is revoked", async () => {
    await using stream = await open(service, bearer("1234"));
    await until(() => stream.messages.length === 1, "the stream begins");
    await redis.client.del("token:1234");
    await until(() => stream.end === "whole", "the stream ends");
    expect((await open(service, bearer("1234"))).response.status).toBe(401);
  });

  it.each([
    ["?at=2026-01-01T00:00:00Z", 400, "invalid-query"],
    ["?user=1", 400, "invalid-query"],
    ["?location=%00", 400, "invalid-context"],
    ["?token=1234", 400, "credential-in-query"],
  ])("rejects the query %s", async (query, status, code) => {
    const response = await service.get(`/features/stream${query}`);
    expect([response.status, (await response.json()) as object]).toEqual([status, expect.objectContaining({ code })]);
  });

  it("opens no stream for a HEAD request", async () => {
    const response = await fetch(`${service.url}/features/stream`, { method: "HEAD" });
    expect([response.status, response.headers.get("content-type")]).toEqual([200, "text/event-stream"]);
  });

  it("rejects the eleventh stream of one token, but not streams of other callers", async () => {
    const streams: StreamReader[] = [];
    for (let count = 0; count < 10; count++) streams.push(await open(service, bearer("1234")));
    await using refused = await open(service, basic("1234"));
    expect(refused.response.status).toBe(429);
    expect(Number(refused.response.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
    await using other = await open(service, bearer("5678"));
    expect(other.response.status).toBe(200);
    await Promise.all(streams.map((stream) => stream[Symbol.asyncDispose]()));
    const isAccepted = async () => {
      await using stream = await open(service, bearer("1234"));
      return stream.response.status === 200;
    };
    await until(isAccepted, "there is room again");
  });

  it("reports open streams and notifications in the metrics", async () => {
    await using stream = await open(service);
    await until(() => stream.messages.length === 1, "the stream begins");
    const metrics = async () => (await service.get("/metrics", bearer(adminToken))).text();
    expect(await metrics()).toMatch(/^tidegate_streams_open\{kind="features"\} [1-9]/m);
    await redis.client.sadd("global_features", "feature_9");
    await until(() => stream.messages.length === 2, "the change arrives");
    const text = await metrics();
    expect(text).toMatch(/^tidegate_stream_notifications_total\{kind="features"\} [1-9]/m);
    expect(text).toMatch(/^tidegate_streams_refused_total\{limit="caller"\} [1-9]/m);
  });
});

describe("the stream of features over SQLite", () => {
  it("sends a change, with CORS headers, and ends when the service stops", async () => {
    const yaml = `
connections: { store: { kind: sqlite, file: "\${FOLDER}/store.db" } }
server: { streams: { perProcess: 2 }, cors: { origins: ["https://app.example"] } }
log: { requests: true }
sources:
  - { name: global, kind: set, connection: store, key: global_features }
  - { name: killed, kind: set, connection: store, key: "tidegate:killed", role: veto }
`;
    const service = await startService(yaml, env);
    await using stream = await open(service, { origin: "https://app.example" });
    await until(() => stream.messages.length === 1, "the stream begins");
    expect(stream.response.headers.get("access-control-allow-origin")).toBe("https://app.example");
    await send(service, "PUT", "/sources/global/features/new_menu");
    await until(() => stream.messages.length === 2, "the change arrives");
    expect(sets(stream)).toEqual([[], ["new_menu"]]);
    await using _second = await open(service);
    await using third = await open(service);
    expect([third.response.status, third.response.headers.get("retry-after")]).toEqual([503, "60"]);
    await service[Symbol.asyncDispose]();
    await until(() => stream.end === "whole", "the stream ends");
  });
});
