import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { emptied, type RedisServer, startRedis } from "../../../support/redis.ts";
import { answerInTime, bearer, redisRules, settled, startService, type TestService } from "../../../support/service.ts";
import { StreamReader } from "../../../support/stream-reader.ts";
import { TcpProxy } from "../../../support/tcp-proxy.ts";
import { until } from "../../../support/until.ts";
import { type WebApp, WebApps } from "../../../support/web-app.ts";

const more = `
  - name: flags
    kind: flagd
    definitions:
      flags:
        theme:
          state: ENABLED
          variants: { dark: dark, light: light }
          defaultVariant: light
          targeting: { if: [{ "==": [{ var: plan }, gold] }, dark] }
context: { attributes: any }
server: { cors: { origins: ["*"] }, streams: { perCaller: 2 } }
`;

describe("OpenFeature's web provider, in Chromium", () => {
  let redis: RedisServer;
  let service: TestService;
  let proxy: TcpProxy;
  let apps: WebApps;
  let baseUrl: string;
  beforeAll(async () => {
    redis = await startRedis();
    service = await startService(redisRules(redis.url, redis.url) + more);
    await service.readyWithin(20_000);
    proxy = await TcpProxy.to(Number(new URL(service.url).port));
    baseUrl = `http://127.0.0.1:${proxy.port}`;
    apps = await WebApps.start();
  });
  afterAll(async () => {
    await apps[Symbol.asyncDispose]();
    await proxy[Symbol.asyncDispose]();
    await service[Symbol.asyncDispose]();
    await redis[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    proxy.heal();
    await emptied(redis.client);
    await redis.client.mset("token:1234", "1", "token:5678", "2");
    await redis.client.sadd("global_features", "new_menu");
    await redis.client.sadd("active_features", "feature_3");
    await redis.client.sadd("features:user:1", "feature_3");
    await settled(redis.client, service);
    for (const token of ["1234", "5678"]) {
      expect((await answerInTime(service, "/features", bearer(token))).status).toBe(200);
    }
  });

  const streaming = (app: WebApp) => until(() => app.streams.at(-1)?.status === 200, "the stream begins");
  const isOn = (app: WebApp, wanted: boolean) =>
    until(async () => (await app.isOn("new_menu")) === wanted, `new_menu is ${wanted ? "on" : "off"}`, 30_000);
  const remove = () => redis.client.srem("global_features", "new_menu");
  const headers = (token: string) => [["Authorization", `Bearer ${token}`]];

  it("receives changes by its stream, whose URL contains no token, and sends no other request", async () => {
    await using app = await apps.open();
    const sent: Record<string, string>[] = [];
    app.page.on("request", (request) => request.url().includes("/stream") && sent.push(request.headers()));
    expect(await app.start({ baseUrl, headers: headers("1234") })).toBe("READY");
    expect(await app.isOn("feature_3")).toBe(true);
    await streaming(app);
    // The first event of the stream.
    await until(() => app.evaluations.length === 2, "the flags are evaluated again");
    expect(app.evaluations[1]).toBe(304);
    await remove();
    await isOn(app, false);
    expect(await app.events()).toEqual(["PROVIDER_CONFIGURATION_CHANGED"]);
    expect([app.evaluations.length, app.streams.length]).toEqual([3, 1]);
    expect(app.streams[0]?.url).not.toContain("1234");
    expect(sent[0]).not.toHaveProperty("authorization");
  });

  it("coalesces changes that come together", async () => {
    await using app = await apps.open();
    await app.start({ baseUrl });
    await streaming(app);
    await until(() => app.evaluations.length === 2, "the stream's first event arrives");
    const changes = redis.client.pipeline();
    for (let count = 0; count < 100; count++)
      changes.srem("global_features", "new_menu").sadd("global_features", `f${count}`);
    await changes.exec();
    await until(async () => (await app.isOn("f99")) && !(await app.isOn("new_menu")), "the last change arrives");
    expect(app.evaluations.length).toBeLessThan(20);
  });

  it("receives a change that was made while its stream was interrupted", async () => {
    await using app = await apps.open();
    await app.start({ baseUrl });
    await streaming(app);
    proxy.cut();
    await until(async () => (await app.status()) === "STALE", "the interruption is noticed");
    await remove();
    proxy.heal();
    await isOn(app, false);
    expect(await app.events()).toContain("PROVIDER_CONFIGURATION_CHANGED");
    // The provider does not return to READY by itself (0.4.3).
    expect(await app.status()).toBe("STALE");
  });

  it("sends no more requests after its stream was rejected", async () => {
    await using first = await StreamReader.open(await streamOf("5678"));
    await using second = await StreamReader.open(await streamOf("5678"));
    expect([first.response.status, second.response.status]).toEqual([200, 200]);
    await using app = await apps.openWithClock();
    await app.start({ baseUrl, headers: headers("5678") });
    await until(() => app.streams.length === 1, "a stream is asked for");
    expect(app.streams[0]?.status).toBe(429);
    await until(async () => {
      await app.page.clock.runFor(1_000);
      return app.evaluations.length === 2;
    }, "it evaluates again");
    expect(app.evaluations).toEqual([200, 200]);
    await app.page.clock.runFor(300_000);
    await app.page.evaluate(`fetch("${baseUrl}/features")`);
    expect([app.evaluations.length, app.streams.length]).toEqual([2, 1]);
    expect(await app.isOn("new_menu")).toBe(true);
  });

  it("uses a stream that it stored before, although 304 names none", async () => {
    await using app = await apps.open();
    await app.start({ baseUrl });
    await streaming(app);
    await app.page.reload();
    await app.start({ baseUrl });
    await until(() => app.streams.length === 2 && app.evaluations.length >= 3, "the page begins again");
    expect(app.streams.map(({ status }) => status)).toEqual([200, 200]);
    expect(app.evaluations.slice(2).every((status) => status === 304)).toBe(true);
    await remove();
    await isOn(app, false);
  });

  it("starts with stored flags unless its cacheMode is network-first", async () => {
    await using app = await apps.open();
    await app.start({ baseUrl });
    await app.page.goto("about:blank");
    await redis.client.sadd("tidegate:killed", "new_menu");
    await settled(redis.client, service);
    await app.page.goto(apps.origin);
    const arrive = Promise.withResolvers<void>();
    await app.page.route("**/evaluate/flags", async (route) => {
      await arrive.promise;
      await route.continue();
    });
    await app.start({ baseUrl });
    expect(await app.booleanDetails("new_menu")).toMatchObject({ value: true, reason: "CACHED" });
    arrive.resolve();
    await isOn(app, false);
    await app.page.reload();
    await app.start({ baseUrl, cacheMode: "network-first" });
    expect(await app.booleanDetails("new_menu")).toMatchObject({ value: false, reason: "DISABLED" });
  });

  it("receives the values of a changed attribute, also with the ETag of the one before", async () => {
    await using app = await apps.open();
    await app.start({ baseUrl, changeDetection: "none" }, { targetingKey: "a", plan: "gold" });
    expect(await app.stringDetails("theme")).toMatchObject({ value: "dark", reason: "TARGETING_MATCH" });
    await app.setContext({ targetingKey: "a", plan: "basic" });
    await until(async () => (await app.stringDetails("theme")).value === "light", "the value follows the attribute");
    expect(app.evaluations).toEqual([200, 200]);
  });

  it("returns the default in the code for a killed flag whose values are strings", async () => {
    await redis.client.sadd("tidegate:killed", "theme");
    await settled(redis.client, service);
    await using app = await apps.open();
    await app.start({ baseUrl });
    const { value, errorCode } = await app.stringDetails("theme");
    expect([value, errorCode]).toEqual(["the default", undefined]);
  });

  it("polls with the ETag, and receives a change, if it is configured to", async () => {
    await using app = await apps.openWithClock();
    await app.start({ baseUrl, pollInterval: 60_000, changeDetection: "polling" });
    await app.page.clock.runFor(60_000);
    await until(() => app.evaluations.length === 2, "it polls");
    expect([app.evaluations[1], app.streams.length]).toEqual([304, 0]);
    await remove();
    await settled(redis.client, service);
    await app.page.clock.runFor(60_000);
    await isOn(app, false);
  });

  it("keeps its flags while the service is down, and receives those of the next one", async () => {
    await using app = await apps.openWithClock();
    await app.start({ baseUrl, pollInterval: 60_000, changeDetection: "polling" });
    proxy.cut();
    await app.page.clock.runFor(60_000);
    await until(async () => (await app.status()) === "STALE", "the failure is noticed");
    expect(await app.isOn("new_menu")).toBe(true);
    await remove();
    await using other = await startService(redisRules(redis.url, redis.url) + more);
    await other.readyWithin(20_000);
    proxy.leadTo(Number(new URL(other.url).port));
    proxy.heal();
    await app.page.clock.runFor(60_000);
    await isOn(app, false);
    proxy.leadTo(Number(new URL(service.url).port));
  });

  it.each([
    ["an unknown token", "nobody", {}, 401],
    ["another user's targeting key", "1234", { targetingKey: "2" }, 403],
  ])("has the status FATAL with %s", async (_, token, context, status) => {
    await using app = await apps.open();
    expect(await app.start({ baseUrl, headers: headers(token) }, context)).toBe("FATAL");
    expect([app.evaluations, app.streams]).toEqual([[status], []]);
    expect(await app.isOn("new_menu")).toBe(false);
  });

  it("has the status ERROR if the first response is 503, and is READY once it is set again", async () => {
    const cors = 'server: { cors: { origins: ["*"] } }';
    await using away = await startService(redisRules("redis://127.0.0.1:1", "redis://127.0.0.1:1") + cors);
    await using app = await apps.open();
    const answered = app.page.waitForResponse((response) => response.status() === 503);
    expect(await app.start({ baseUrl: away.url })).toBe("ERROR");
    expect((await answered).headers()["retry-after"]).toMatch(/^[1-9]\d*$/);
    expect(app.evaluations).toEqual([503]);
    expect(await app.start({ baseUrl })).toBe("READY");
  });

  async function streamOf(token: string): Promise<string> {
    const response = await fetch(`${service.url}/ofrep/v1/evaluate/flags`, {
      method: "POST",
      headers: { ...bearer(token), "content-type": "application/json" },
      body: "{}",
    });
    const { eventStreams } = (await response.json()) as { eventStreams: { endpoint: { requestUri: string } }[] };
    return service.url + eventStreams[0]?.endpoint.requestUri;
  }
});
