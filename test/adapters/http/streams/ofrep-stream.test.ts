import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Channels } from "../../../../src/adapters/http/streams/channel.ts";
import { createLog } from "../../../../src/infrastructure/logger.ts";
import { connectRedis } from "../../../../src/infrastructure/redis/redis-connection.ts";
import { credentialsOn } from "../../../support/credentials.ts";
import { adminToken } from "../../../support/operator.ts";
import { emptied, type RedisServer, startRedis } from "../../../support/redis.ts";
import { bearer, inTime, redisRules, settled, startService, type TestService } from "../../../support/service.ts";
import { StreamReader } from "../../../support/stream-reader.ts";
import { until } from "../../../support/until.ts";

const refetch = '{"type":"refetchEvaluation"}';
type Bulk = { flags: object[]; eventStreams?: { type: string; endpoint: { requestUri: string } }[] };

const evaluate = async (service: TestService, headers: Record<string, string>, context: object = {}) => {
  const response = await inTime(() =>
    fetch(`${service.url}/ofrep/v1/evaluate/flags`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify({ context }),
    }),
  );
  const body = (response.status === 304 ? { flags: [] } : await response.json()) as Bulk;
  return { status: response.status, etag: response.headers.get("etag") ?? "", body };
};
const uriOf = ({ body }: { body: Bulk }): string => body.eventStreams?.[0]?.endpoint.requestUri ?? "";

describe("the event stream of OFREP", () => {
  let redis: RedisServer;
  let service: TestService;
  let other: TestService;
  beforeAll(async () => {
    redis = await startRedis();
    const yaml = `${redisRules(redis.url, redis.url)}
  - { name: rollout, kind: percentage, connection: features }
`;
    const env = { TIDEGATE_ADMIN_TOKEN: adminToken };
    [service, other] = await Promise.all([startService(yaml, env), startService(yaml, env)]);
    await Promise.all([service.readyWithin(10_000), other.readyWithin(10_000)]);
    // On a slow machine the first response does not wait for the secret.
    const isShared = async () => uriOf(await evaluate(service, {})) === uriOf(await evaluate(other, {}));
    await until(isShared, "both have read the secret");
  });
  afterAll(async () => {
    await service[Symbol.asyncDispose]();
    await other[Symbol.asyncDispose]();
    await redis[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    await emptied(redis.client);
    await redis.client.mset("token:1234", "1", "token:5678", "2", "token:9", "3");
    await redis.client.sadd("global_features", "feature_1", "feature_2");
    await redis.client.sadd("active_features", "feature_3");
    await redis.client.sadd("features:user:1", "feature_3");
    await Promise.all([settled(redis.client, service), settled(redis.client, other)]);
  });
  const open = (uri: string, headers: Record<string, string> = {}) => StreamReader.open(service.url + uri, headers);

  it("has the same URL on all instances and for the same caller, with an equal ETag, and contains no token", async () => {
    const one = await evaluate(service, bearer("1234"));
    const two = await evaluate(other, bearer("1234"), { targetingKey: "1" });
    expect(uriOf(one)).toMatch(/^\/ofrep\/v1\/stream\?channel=[\w-]+$/);
    expect(uriOf(two)).toBe(uriOf(one));
    // Known features are registered a little later than they are evaluated.
    const etagOf = async (instance: TestService) => (await evaluate(instance, bearer("1234"))).etag;
    await until(async () => (await etagOf(service)) === (await etagOf(other)), "the ETags are equal");
    expect(uriOf(one)).not.toContain("1234");
    expect(uriOf(await evaluate(service, bearer("5678")))).not.toBe(uriOf(one));
    expect(uriOf(await evaluate(service, {}, { targetingKey: "a" }))).not.toBe(uriOf(await evaluate(service, {})));
  });

  it("begins each connection with one event, and sends one per change of the caller", async () => {
    await using one = await open(uriOf(await evaluate(service, bearer("1234"))), { "last-event-id": "nonsense" });
    await using two = await open(uriOf(await evaluate(service, bearer("5678"))));
    await until(() => one.messages.length === 1 && two.messages.length === 1, "both begin");
    await redis.client.srem("features:user:1", "feature_3");
    await until(() => one.messages.length === 2, "the change arrives");
    await redis.client.srem("global_features", "feature_1");
    await until(() => one.messages.length === 3 && two.messages.length === 2, "the change for both arrives");
    expect(one.messages).toEqual([refetch, refetch, refetch].map((data) => ({ id: "", data })));
  });

  it("rejects unknown channels with an OFREP error", async () => {
    const uri = uriOf(await evaluate(service, bearer("1234")));
    const foreign = new Channels(randomBytes(32)).seal({ userId: "1" }, Date.now());
    const changed = `${uri.slice(0, -2)}${uri.at(-2) === "A" ? "B" : "A"}${uri.slice(-1)}`;
    const bad = ["/ofrep/v1/stream", "/ofrep/v1/stream?channel=", "/ofrep/v1/stream?channel=1234", changed];
    for (const path of [...bad, `${uri}&channel=x`, `/ofrep/v1/stream?channel=${foreign}`]) {
      const response = await service.get(path);
      const body = await response.json();
      expect([path, response.status, body]).toEqual([path, 404, expect.objectContaining({ errorCode: "GENERAL" })]);
    }
  });

  it("ends when the token is revoked or moved to another user, and cannot be opened again", async () => {
    for (const revoke of [() => redis.client.del("token:1234"), () => redis.client.set("token:1234", "2")]) {
      await redis.client.set("token:1234", "1");
      await settled(redis.client, service);
      const uri = uriOf(await evaluate(service, bearer("1234")));
      await using stream = await open(uri);
      await using others = await open(uriOf(await evaluate(service, bearer("5678"))));
      await until(() => stream.messages.length === 1 && others.messages.length === 1, "the streams begin");
      await revoke();
      await until(() => stream.end === "whole", "the stream ends");
      expect((await service.get(uri)).status).toBe(401);
      expect(others.end).toBeUndefined();
    }
  });

  it("ends when the evaluator credential is revoked, and cannot be opened again", async () => {
    await using store = connectRedis("store", redis.url, createLog("silent"));
    await store.connected();
    const credentials = credentialsOn(store.documents);
    const [revoked, kept] = [
      await credentials.add("one", "evaluator", undefined, { by: "tester" }),
      await credentials.add("two", "evaluator", undefined, { by: "tester" }),
    ];
    for (const targetingKey of ["1", undefined]) {
      const uris = [revoked, kept].map(async (secret) =>
        uriOf(await evaluate(service, bearer(secret), { targetingKey })),
      );
      expect(new Set(await Promise.all(uris)).size).toBe(2);
    }
    const uri = uriOf(await evaluate(service, bearer(revoked), { targetingKey: "1" }));
    await using stream = await open(uri);
    await using others = await open(uriOf(await evaluate(service, bearer(kept), { targetingKey: "1" })));
    await redis.client.srem("features:user:1", "feature_3");
    await until(() => stream.messages.length === 2 && others.messages.length === 2, "the change arrives");
    await credentials.revoke("one", { by: "tester" });
    await until(() => stream.end === "whole", "the stream ends", 20_000);
    expect((await service.get(uri)).status).toBe(401);
    expect([others.end, others.messages.length]).toEqual([undefined, 2]);
  });

  it("has another URL, and another ETag, once the store has lost the secret", async () => {
    const before = await evaluate(service, bearer("1234"));
    await emptied(redis.client);
    await redis.client.set("token:1234", "1");
    await settled(redis.client, service);
    const isRefused = async () => (await service.get(`${uriOf(before)}x`)).status === 404;
    const isReplaced = async () =>
      (await isRefused()) && uriOf(await evaluate(service, bearer("1234"))) !== uriOf(before);
    await until(isReplaced, "the secret is replaced");
    const after = await evaluate(service, { ...bearer("1234"), "if-none-match": before.etag });
    expect(after.status).toBe(200);
    await using stream = await open(uriOf(after));
    expect(stream.response.status).toBe(200);
    expect((await service.get(uriOf(before))).status).toBe(404);
  });

  it("is rejected beyond the limit of a caller, without an effect on others", async () => {
    const before = await evaluate(service, bearer("9"));
    const streams: StreamReader[] = [];
    for (let count = 0; count < 10; count++) streams.push(await open(uriOf(before)));
    await using refused = await open(uriOf(before));
    expect([refused.response.status, refused.response.headers.get("retry-after")]).toEqual([429, "60"]);
    const after = await evaluate(service, { ...bearer("9"), "if-none-match": before.etag });
    expect([after.status, after.body.eventStreams]).toEqual([200, undefined]);
    expect(after.etag).not.toBe(before.etag);
    expect(await evaluate(service, { ...bearer("9"), "if-none-match": after.etag })).toMatchObject({ status: 304 });
    expect(uriOf(await evaluate(service, bearer("1234")))).not.toBe("");
    await Promise.all(streams.map((stream) => stream[Symbol.asyncDispose]()));
  });
});

describe("limits of an address and of a process", () => {
  it.each([
    ["perAddress", 429],
    ["perProcess", 503],
  ])("reject all streams beyond %s", async (limit, status) => {
    const yaml = `
connections: { store: { kind: sqlite, file: "\${FOLDER}/store.db" } }
server: { basePath: /flags, streams: { ${limit}: 1 } }
sources:
  - { name: global, kind: set, connection: store, key: global_features }
`;
    await using service = await startService(yaml);
    const before = await evaluate(service, {});
    const root = service.url.replace("/flags", "");
    await using first = await StreamReader.open(root + uriOf(before));
    await using second = await StreamReader.open(root + uriOf(before));
    expect([first.response.status, second.response.status]).toEqual([200, status]);
    const after = await evaluate(service, { "if-none-match": before.etag });
    expect([after.status, after.body.eventStreams]).toEqual([200, undefined]);
  });
});

describe("a channel", () => {
  const channels = new Channels(randomBytes(32));
  const context = {
    userId: "1",
    tokenKey: "token:1234",
    targetingKey: "1",
    locations: ["es/madrid", "es"],
    ip: "::1",
    attributes: { a: [1] },
  };

  it("is valid for its context until 35 days after its month", () => {
    const channel = channels.seal(context, Date.UTC(2026, 10, 1)) ?? "";
    expect(channels.seal(context, Date.UTC(2026, 10, 30, 23, 59))).toBe(channel);
    expect(channels.seal(context, Date.UTC(2026, 11, 1))).not.toBe(channel);
    expect(channels.open(channel, Date.UTC(2027, 0, 4, 23, 59))).toEqual(context);
    expect(channels.open(channel, Date.UTC(2027, 0, 5))).toBeUndefined();
    expect(channels.open(channels.seal({}, 0) ?? "", 0)).toEqual({});
  });

  it("is invalid if any of its characters changes", () => {
    const channel = channels.seal(context, Date.now()) ?? "";
    const sealed = Buffer.from(channel, "base64url");
    for (let index = 0; index < sealed.length; index++) {
      const changed = Buffer.from(sealed);
      changed[index] = (changed[index] ?? 0) ^ 1;
      expect(channels.open(changed.toString("base64url"), Date.now())).toBeUndefined();
    }
  });

  it("does not exist for a context of more than 2,000 characters", () => {
    expect(channels.seal({ attributes: { a: "x".repeat(2_000) } }, Date.now())).toBeUndefined();
  });
});
