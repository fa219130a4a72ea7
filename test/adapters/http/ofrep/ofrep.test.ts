import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { runChecks } from "../../../../conformance/src/run-checks.ts";
import { createLog } from "../../../../src/infrastructure/logger.ts";
import { connectRedis } from "../../../../src/infrastructure/redis/redis-connection.ts";
import { credentialsOn } from "../../../support/credentials.ts";
import { adminToken } from "../../../support/operator.ts";
import { emptied, type RedisServer, startRedis } from "../../../support/redis.ts";
import {
  answerInTime,
  basic,
  bearer,
  inTime,
  redisRules,
  settled,
  startService,
  type TestService,
  ways,
} from "../../../support/service.ts";
import { until } from "../../../support/until.ts";

const flagd = `
  - name: flags
    kind: flagd
    definitions:
      flags:
        theme:
          state: ENABLED
          variants: { dark: dark, light: light }
          defaultVariant: light
          targeting: { if: [{ "==": [{ var: plan }, gold] }, dark] }
        limits: { state: ENABLED, variants: { small: { rows: 10 } }, defaultVariant: small }
        beta: { state: ENABLED, variants: { on: true, off: false }, defaultVariant: off }
        nested:
          state: ENABLED
          variants: { on: true, off: false }
          defaultVariant: off
          targeting: { if: [{ "==": [{ var: company.tier }, 1] }, on] }
`;
const rollout = `
  - { name: rollout, kind: percentage, connection: features }
`;
const context = `
context: { attributes: any }
`;

const bulkPath = "/ofrep/v1/evaluate/flags";
type Flag = { key: string; value?: unknown; variant?: string; reason: string; metadata?: Record<string, unknown> };

describe.each(ways)("OFREP, with calls served %s", (_, way) => {
  let redis: RedisServer;
  let service: TestService;
  beforeAll(async () => {
    redis = await startRedis();
    const yaml = redisRules(redis.url, redis.url) + flagd + rollout + context;
    service = await startService(yaml, { TIDEGATE_ADMIN_TOKEN: adminToken }, way);
    await service.readyWithin(10_000);
  });
  afterAll(async () => {
    await service[Symbol.asyncDispose]();
    await redis[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    await emptied(redis.client);
    await redis.client.set("token:1234", "1");
    await redis.client.sadd("global_features", "feature_1", "feature_2");
    await redis.client.sadd("active_features", "feature_3");
    await redis.client.sadd("features:user:1", "feature_3", "feature_4");
    await settled(redis.client, service);
  });

  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    inTime(() =>
      fetch(service.url + path, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: typeof body === "string" ? body : JSON.stringify(body),
      }),
    );
  const bulk = async (fields: object = {}, headers: Record<string, string> = {}) => {
    const response = await post(bulkPath, { context: fields }, headers);
    expect(response.status).toBe(200);
    const { flags } = (await response.json()) as { flags: Flag[] };
    return new Map(flags.map((flag) => [flag.key, flag]));
  };
  const single = async (key: string, fields: object = {}, headers: Record<string, string> = {}) => {
    const response = await post(`${bulkPath}/${encodeURIComponent(key)}`, { context: fields }, headers);
    return { status: response.status, body: (await response.json()) as Flag & { errorCode?: string } };
  };

  it("evaluates known features, on or off, to booleans with their reason and source", async () => {
    const flags = await bulk({}, bearer("1234"));
    expect(flags.get("feature_1")).toEqual({
      key: "feature_1",
      value: true,
      reason: "STATIC",
      metadata: { source: "global" },
    });
    expect(flags.get("feature_3")).toMatchObject({ value: true, reason: "TARGETING_MATCH" });
    expect(flags.get("feature_4")).toEqual({
      key: "feature_4",
      value: false,
      reason: "DISABLED",
      metadata: { source: "user" },
    });
  });

  it("agrees with GET /features", async () => {
    const on = [...(await bulk({}, bearer("1234"))).values()].filter(({ value }) => value !== false);
    const { active_features } = (await (await answerInTime(service, "/features", bearer("1234"))).json()) as {
      active_features: string[];
    };
    expect(on.map(({ key }) => key)).toEqual(active_features);
  });

  it("evaluates values and variants of flagd, for nested attributes too", async () => {
    const flags = await bulk({ plan: "gold", company: { tier: 1 } });
    expect(flags.get("theme")).toMatchObject({ value: "dark", variant: "dark", reason: "TARGETING_MATCH" });
    expect(flags.get("limits")).toMatchObject({ value: { rows: 10 }, variant: "small", reason: "STATIC" });
    expect(flags.get("beta")).toMatchObject({ value: false, variant: "off", reason: "STATIC" });
    expect(flags.get("nested")).toMatchObject({ value: true, variant: "on" });
    expect((await single("theme", { plan: "basic" })).body).toMatchObject({ value: "light", variant: "light" });
  });

  it("omits the value of a killed feature that is not boolean", async () => {
    await redis.client.sadd("tidegate:killed", "theme", "feature_1");
    await settled(redis.client, service);
    const flags = await bulk();
    expect(flags.get("theme")).toEqual({ key: "theme", reason: "DISABLED", metadata: { source: "killed" } });
    expect(flags.get("feature_1")).toMatchObject({ value: false, reason: "DISABLED" });
  });

  it("evaluates a feature that was taken out of its only set to false", async () => {
    expect((await single("feature_1")).body).toMatchObject({ value: true });
    await redis.client.srem("global_features", "feature_1");
    await settled(redis.client, service);
    expect(await single("feature_1")).toEqual({
      status: 200,
      body: { key: "feature_1", value: false, reason: "DISABLED" },
    });
    expect((await bulk()).get("feature_1")).toMatchObject({ value: false });
  });

  it("registers known features in the store", async () => {
    await bulk();
    const isRegistered = async () => (await redis.client.zscore("tidegate:register", "feature_2")) !== null;
    await until(isRegistered, "the feature is registered");
  });

  it("returns 404 for an unknown flag, with its key", async () => {
    const { status, body } = await single("no/such flag%2F");
    expect(status).toBe(404);
    expect(body).toMatchObject({ key: "no/such flag%2F", errorCode: "FLAG_NOT_FOUND" });
  });

  it.each([
    ["Bearer", bearer("1234")],
    ["Basic", basic("1234")],
    ["X-API-Key", { "x-api-key": "1234" }],
  ])("accepts a token by %s", async (_, headers) => {
    expect((await bulk({ targetingKey: "1" }, headers)).get("feature_3")).toMatchObject({ value: true });
  });

  it("rejects another user's targeting key beside a token", async () => {
    const { status, body } = await single("feature_3", { targetingKey: "2" }, bearer("1234"));
    expect(status).toBe(403);
    expect(body).toMatchObject({ key: "feature_3", errorCode: "INVALID_CONTEXT" });
  });

  it("reads no user's set for a targeting key without a token", async () => {
    expect((await bulk({ targetingKey: "1" })).get("feature_3")).toMatchObject({ value: false });
  });

  it("uses the targeting key for percentages", async () => {
    const rule = JSON.stringify({ percentage: 50 });
    const put = (feature: string) =>
      fetch(`${service.url}/admin/v1/sources/rollout/rules/${feature}`, {
        method: "PUT",
        headers: { ...bearer(adminToken), "content-type": "application/json" },
        body: rule,
      });
    expect((await put("new_menu")).status).toBeLessThan(300);
    const valueFor = async (targetingKey: string) => (await single("new_menu", { targetingKey })).body.value;
    const values = await Promise.all(Array.from({ length: 20 }, (_, index) => valueFor(`user-${index}`)));
    expect(new Set(values)).toEqual(new Set([true, false]));
    expect(await valueFor("user-3")).toBe(values[3]);
  });

  it("evaluates for the user that an operator names", async () => {
    expect((await bulk({ targetingKey: "1" }, bearer(adminToken))).get("feature_3")).toMatchObject({ value: true });
    expect((await single("feature_3", { targetingKey: "2" }, bearer(adminToken))).body).toMatchObject({ value: false });
  });

  it("rejects a revoked credential, although nothing else has changed", async () => {
    const store = connectRedis("features", redis.url, createLog("silent"));
    await store.connected();
    const credentials = credentialsOn(store.documents);
    const secret = await credentials.add("checkout", "evaluator", undefined, { by: "tester" });
    const ask = async () => (await post(bulkPath, { context: { targetingKey: "1" } }, bearer(secret))).status;
    expect([await ask(), await ask()]).toEqual([200, 200]);
    await credentials.revoke("checkout", { by: "tester" });
    await until(async () => (await ask()) === 401, "the credential is rejected");
    await store[Symbol.asyncDispose]();
  });

  it("rejects an unknown token", async () => {
    const response = await post(bulkPath, {}, bearer("unknown"));
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ errorCode: "GENERAL" });
  });

  it("returns 304 while nothing changes, and 200 after a change", async () => {
    const first = await post(bulkPath, { context: { plan: "gold" } }, bearer("1234"));
    const etag = first.headers.get("etag") ?? "";
    const again = () => post(bulkPath, { context: { plan: "gold" } }, { ...bearer("1234"), "if-none-match": etag });
    const unchanged = await again();
    expect([unchanged.status, await unchanged.text()]).toEqual([304, ""]);
    await redis.client.srem("active_features", "feature_3");
    await settled(redis.client, service);
    const changed = await again();
    expect(changed.status).toBe(200);
    expect(changed.headers.get("etag")).not.toBe(etag);
  });

  it.each(["{", "[]", "null", '"x"', "", '{"context":7}', '{"context":[]}', '{"context":null}'])(
    "rejects the body %j with an OFREP error",
    async (body) => {
      const bulkError = await post(bulkPath, body);
      expect(bulkError.status).toBe(400);
      expect(await bulkError.clone().json()).toMatchObject({ status: 400 });
      expect(bulkError.headers.get("content-type")).toBe("application/json");
      const error = (await bulkError.json()) as Record<string, unknown>;
      expect(error).toMatchObject({ errorCode: body === "{" || body === "" ? "PARSE_ERROR" : "INVALID_CONTEXT" });
      expect(error).not.toHaveProperty("key");
      const singleError = await post(`${bulkPath}/x`, body);
      expect(singleError.status).toBe(400);
      expect(await singleError.json()).toMatchObject({ key: "x" });
    },
  );

  it("passes the conformance kit", async () => {
    // The kit takes the ETag of the moment for that of the change.
    const isServed = async (isOn: boolean) => {
      const isAsExpected = async () => {
        const features = await (await answerInTime(service, "/features", bearer("1234"))).text();
        return features.includes('"feature_3"') === isOn;
      };
      await until(isAsExpected, "the service acts on the change");
    };
    const change = async () => {
      await redis.client.srem("active_features", "feature_3");
      await isServed(false);
    };
    const undo = async () => {
      await redis.client.sadd("active_features", "feature_3");
      await isServed(true);
    };
    const options = {
      url: service.url,
      token: "1234",
      context: { targetingKey: "1", plan: "gold" },
      otherContext: { targetingKey: "1", plan: "basic" },
      change,
      undo,
      origin: "https://app.example",
      streams: 15,
      timeoutMs: 20_000,
    };
    const results = await runChecks(options, false, () => {});
    const failed = results.filter(({ outcome }) => outcome === "failed");
    expect(failed.map(({ check, message }) => `${check.id}: ${message}`)).toEqual([]);
    const skipped = results.filter(({ check, outcome }) => outcome === "skipped" && check.id.startsWith("stream-"));
    expect(skipped.map(({ check, message }) => `${check.id}: ${message}`)).toEqual([]);
  });
});
