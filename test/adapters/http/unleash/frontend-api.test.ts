import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UnleashClient } from "unleash-proxy-client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Connection } from "../../../../src/infrastructure/connection.ts";
import { openSqlite } from "../../../../src/infrastructure/sqlite/sqlite-connection.ts";
import { plainTokenKey } from "../../../../src/infrastructure/token-key.ts";
import { credentialsOn } from "../../../support/credentials.ts";
import { freePort } from "../../../support/free-port.ts";
import { adminToken } from "../../../support/operator.ts";
import { TestProcess } from "../../../support/process.ts";
import { bearer, startService, startServiceOn, type TestService } from "../../../support/service.ts";
import { aChange, changeOf } from "../../../support/stores.ts";
import { until } from "../../../support/until.ts";

const constraint = (contextName: string, value: string) => ({ contextName, operator: "IN", values: [value] });
const toggle = (name: string, more: object = {}, constraints: object[] = []) => ({
  name,
  enabled: true,
  strategies: [{ name: "default", parameters: {}, constraints }],
  ...more,
});
const variant = (payload?: object) => ({ variants: [{ name: "blue", weight: 1000, payload }] });
const document = {
  version: 2,
  features: [
    toggle("chat", { impressionData: true }),
    toggle("csv", variant({ type: "csv", value: "a,b" })),
    toggle("json", variant({ type: "json", value: '{"a": 1}' })),
    toggle("bare", variant()),
    toggle("for_7", {}, [constraint("userId", "7")]),
    toggle("for_gold", {}, [constraint("plan", "gold")]),
    toggle("from_office", {}, [constraint("remoteAddress", "192.0.2.9")]),
    { ...toggle("off"), enabled: false },
  ],
};

const rules = (folder: string, more = "") => `
connections:
  features: { kind: sqlite, file: "${folder}/store.db" }
tokens: { connection: features, layout: plain }
context: { attributes: any }
sources:
  - { name: killed, kind: set, connection: features, key: "tidegate:killed", role: veto }
  - { name: everyone, kind: static, features: { plain: true, never: false } }
  - { name: user, kind: set, connection: features, key: "features:user:{userId}" }
  - { name: rollout, kind: percentage, connection: features }
  - name: flags
    kind: flagd
    definitions:
      flags:
        theme: { state: ENABLED, variants: { dark: dark, light: light }, defaultVariant: light }
        size: { state: ENABLED, variants: { small: 12 }, defaultVariant: small }
        limits: { state: ENABLED, variants: { some: { rows: 10 } }, defaultVariant: some }
        switch: { state: ENABLED, variants: { on: true, off: false }, defaultVariant: on }
  - { name: unleash, kind: unleash, file: "${folder}/unleash.json", readsAddress: true }
${more}`;

type Toggle = { name: string; enabled: boolean; variant: object; impressionData: boolean };

describe("Unleash's frontend API", () => {
  let folder: string;
  let store: Connection;
  let service: TestService;
  let frontend: string;
  let recorder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "tidegate-unleash-"));
    writeFileSync(join(folder, "unleash.json"), JSON.stringify(document));
    store = openSqlite("store", join(folder, "store.db"));
    const author = { by: "tester" };
    frontend = await credentialsOn(store.documents).add("web", "frontend", undefined, author);
    recorder = await credentialsOn(store.documents).add("events", "recorder", undefined, author);
    await store.tokenStore(plainTokenKey()).assign({ ...aChange(), token: "1234", userId: "1" });
    const settings = 'compatibility: { unleash: true }\nserver: { cors: { origins: ["https://app.example"] } }\n';
    service = await startService(rules(folder, settings), { TIDEGATE_ADMIN_TOKEN: adminToken });
    await service.readyWithin(20_000);
    await grant("features:user:1", "mine");
    await until(async () => (await names("", "1234")).includes("mine"), "the user has the feature");
  });
  afterAll(async () => {
    await service[Symbol.asyncDispose]();
    await store[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  const grant = (key: string, feature: string) => store.changes.apply(changeOf(key, { add: [feature] }));
  const revoke = (key: string, feature: string) => store.changes.apply(changeOf(key, { remove: [feature] }));

  const get = (query = "", key = frontend, headers: Record<string, string> = {}) =>
    service.get(`/api/frontend${query}`, { authorization: key, ...headers });
  const post = (path: string, body: unknown, key = frontend, headers: Record<string, string> = {}) =>
    fetch(service.url + path, {
      method: "POST",
      headers: { authorization: key, "content-type": "application/json", ...headers },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
  const toggles = async (response: Response) => {
    expect(response.status).toBe(200);
    const { toggles } = (await response.json()) as { toggles: Toggle[] };
    return new Map(toggles.map((each) => [each.name, each]));
  };
  const names = async (query = "", key = frontend) => [...(await toggles(await get(query, key))).keys()];

  it("returns only the features that are on, the same as GET /features", async () => {
    const { active_features } = (await (await service.get("/features", bearer("1234"))).json()) as {
      active_features: string[];
    };
    expect(await names("", "1234")).toEqual(active_features);
    expect(active_features).toContain("mine");
    expect(active_features).not.toContain("never");
  });

  it.each([
    ["plain", { name: "disabled", enabled: false }],
    ["theme", { name: "light", enabled: true, payload: { type: "string", value: "light" } }],
    ["size", { name: "small", enabled: true, payload: { type: "number", value: "12" } }],
    ["limits", { name: "some", enabled: true, payload: { type: "json", value: '{"rows":10}' } }],
    ["switch", { name: "on", enabled: true }],
    ["csv", { name: "blue", enabled: true, payload: { type: "csv", value: "a,b" } }],
    ["json", { name: "blue", enabled: true, payload: { type: "json", value: '{"a": 1}' } }],
    ["bare", { name: "blue", enabled: true }],
  ])("returns the variant of %s with its payload", async (name, expected) => {
    expect((await toggles(await get())).get(name)).toEqual({
      name,
      enabled: true,
      variant: { ...expected, feature_enabled: true },
      impressionData: false,
    });
  });

  it("returns impressionData", async () => {
    expect((await toggles(await get())).get("chat")).toMatchObject({ impressionData: true });
  });

  it("reads the context in the query and in the body, on both paths", async () => {
    expect(await names("?userId=7&properties%5Bplan%5D=gold")).toEqual(expect.arrayContaining(["for_7", "for_gold"]));
    for (const path of ["/api/frontend", "/api/proxy"]) {
      const body = { context: { userId: 7, sessionId: null, properties: { plan: "gold", none: null } } };
      const found = [...(await toggles(await post(path, body))).keys()];
      expect(found).toEqual(expect.arrayContaining(["for_7", "for_gold"]));
    }
    expect(await names()).not.toContain("for_7");
  });

  it("reads no user's set for a claimed user id", async () => {
    expect(await names("?userId=1")).not.toContain("mine");
  });

  it("evaluates percentages by the user id, otherwise by the session id", async () => {
    const put = await fetch(`${service.url}/admin/v1/sources/rollout/rules/half`, {
      method: "PUT",
      headers: { ...bearer(adminToken), "content-type": "application/json" },
      body: JSON.stringify({ percentage: 50 }),
    });
    expect(put.status).toBeLessThan(300);
    const isOn = async (query: string) => (await names(query)).includes("half");
    await until(async () => (await isOn("?userId=7")) || (await isOn("?userId=8")) || isOn("?userId=9"), "it is on");
    const ids = Array.from({ length: 20 }, (_, index) => `${index}`);
    const byUser = await Promise.all(ids.map((id) => isOn(`?userId=${id}&sessionId=s${id}`)));
    expect(new Set(byUser)).toEqual(new Set([true, false]));
    expect(await Promise.all(ids.map((id) => isOn(`?sessionId=${id}`)))).toEqual(byUser);
  });

  it("ignores an address in the client's context", async () => {
    expect(await names("?remoteAddress=192.0.2.9")).not.toContain("from_office");
  });

  it("reads the client's address from a trusted proxy", async () => {
    await using trusting = await startService(
      `compatibility: { unleash: true }\n${rules(folder).replace("context: {", "context: { trustedProxies: [loopback],")}`,
      { TIDEGATE_ADMIN_TOKEN: adminToken },
    );
    await trusting.readyWithin(20_000);
    const namesFor = async (address: string) => {
      const query = `?remoteAddress=${address}`;
      return [...(await toggles(await trusting.get(`/api/frontend${query}`, { authorization: adminToken }))).keys()];
    };
    expect(await namesFor("192.0.2.9")).toContain("from_office");
    expect(await namesFor("192.0.2.8")).not.toContain("from_office");
    expect(await namesFor("nowhere")).not.toContain("from_office");
  });

  it.each(["Bearer ", "bearer ", ""])("accepts a client token after %j", async (scheme) => {
    expect(await names("", `${scheme}1234`)).toContain("mine");
  });

  it.each([
    [401, "unknown", ""],
    [401, "", ""],
    [403, "1234", "?userId=2"],
    [400, "1234", "?userId=1&userId=1"],
    [400, "1234", `?userId=${"x".repeat(300)}`],
  ])("returns %i for the key %j and the query %j, with a message for Unleash's SDKs", async (status, key, query) => {
    const response = await get(query, key);
    expect(response.status).toBe(status);
    const { message, details } = (await response.json()) as { message: string; details: { message: string }[] };
    expect(details).toEqual([{ message }]);
  });

  it("rejects a credential of another scope", async () => {
    expect((await get("", recorder)).status).toBe(403);
  });

  it.each(["{", "[]", "null", '"x"', "", '{"context":7}', '{"context":{"userId":{}}}', '{"context":{"__proto__":1}}'])(
    "rejects the body %j",
    async (body) => {
      for (const path of ["/api/frontend", "/api/frontend/client/metrics", "/api/frontend/client/register"]) {
        expect((await post(path, body)).status).toBe(400);
      }
    },
  );

  it("does not accept the name of an object's method as a property", async () => {
    expect((await get("?properties%5B__proto__%5D=x&__proto__=y")).status).toBe(200);
  });

  it("returns 304 while nothing changes, also for a weak ETag", async () => {
    const first = await get("?userId=7", frontend);
    const etag = first.headers.get("etag") ?? "";
    expect((await get("?userId=7", frontend, { "if-none-match": `W/${etag}` })).status).toBe(304);
    expect((await get("?userId=7", frontend, { "if-none-match": etag })).status).toBe(304);
    expect((await get("?userId=8", frontend, { "if-none-match": etag })).status).toBe(200);
  });

  it("accepts metrics and registrations, and counts metrics", async () => {
    const bucket = {
      start: "2026-11-29T00:00:00Z",
      stop: "2026-11-29T00:01:00Z",
      toggles: { chat: { yes: 1, no: 0 } },
    };
    for (const path of ["/api/frontend", "/api/proxy"]) {
      expect((await post(`${path}/client/metrics`, { appName: "shop", bucket })).status).toBe(202);
      expect((await post(`${path}/client/register`, { appName: "shop" }, "1234")).status).toBe(202);
      expect((await post(`${path}/client/metrics`, { appName: "shop", bucket }, "unknown")).status).toBe(401);
    }
  });

  it("lets pages of allowed origins send the SDK's headers", async () => {
    const response = await fetch(`${service.url}/api/frontend`, {
      method: "OPTIONS",
      headers: { origin: "https://app.example", "access-control-request-method": "GET" },
    });
    const allowed = response.headers.get("access-control-allow-headers")?.toLowerCase().split(",") ?? [];
    expect(allowed).toEqual(
      expect.arrayContaining(["authorization", "unleash-sdk", "unleash-appname", "unleash-connection-id"]),
    );
    expect(
      (await get("", frontend, { origin: "https://app.example" })).headers.get("access-control-allow-origin"),
    ).toBe("https://app.example");
  });

  it("forwards nothing without a source", async () => {
    expect((await service.get("/api/client/features", { authorization: frontend })).status).toBe(404);
  });

  it.each([
    ["by GET", false],
    ["by POST", true],
  ])(
    "serves unleash-proxy-client %s: features that go off and on, variants and metrics",
    async (_, usePOSTrequests) => {
      const client = new UnleashClient({
        url: `${service.url}/api/frontend`,
        clientKey: frontend,
        appName: "shop",
        refreshInterval: 0.05,
        metricsInterval: 0,
        usePOSTrequests,
        context: { userId: "7", properties: { plan: "gold" } },
      });
      const errors: unknown[] = [];
      client.on("error", (error: unknown) => errors.push(error));
      const statuses: number[] = [];
      client.on("sent", () => statuses.push(202));
      await client.start();
      try {
        expect(client.isEnabled("for_7")).toBe(true);
        expect(client.isEnabled("for_gold")).toBe(true);
        expect(client.isEnabled("off")).toBe(false);
        expect(client.getVariant("theme")).toMatchObject({ name: "light", enabled: true, payload: { value: "light" } });
        expect(client.getVariant("plain")).toMatchObject({ name: "disabled", enabled: false, feature_enabled: true });
        await grant("tidegate:killed", "plain");
        await until(() => !client.isEnabled("plain"), "the app sees the feature go off");
        await revoke("tidegate:killed", "plain");
        await until(() => client.isEnabled("plain"), "the app sees the feature go on");
        await client.sendMetrics();
        expect(statuses).toEqual([202]);
        expect(errors).toEqual([]);
      } finally {
        client.stop();
      }
    },
  );
});

describe("the example of an app on Unleash's frontend SDK", () => {
  it("shows a feature go off and on, and survives a restart of the service", async () => {
    const folder = mkdtempSync(join(tmpdir(), "tidegate-unleash-"));
    const file = join(folder, "tidegate.yaml");
    const serve = async (isOn: boolean, port: number) => {
      writeFileSync(
        file,
        `compatibility: { unleash: true }\nsources: [{ name: a, kind: static, features: { new_menu: ${isOn} } }]\n`,
      );
      const env = { PORT: `${port}`, TIDEGATE_DATA: folder, TIDEGATE_ADMIN_TOKEN: adminToken };
      const service = await startServiceOn(file, env);
      await service.readyWithin(20_000);
      return service;
    };
    const port = await freePort();
    await using app = new TestProcess(["examples/unleash-frontend/app.mjs"], {
      UNLEASH_URL: `http://127.0.0.1:${port}/api/frontend`,
      UNLEASH_CLIENT_KEY: adminToken,
    });
    const printed = (line: string) => until(() => app.stdout.trimEnd().endsWith(line), `the app prints ${line}`);
    {
      await using _ = await serve(true, port);
      await printed("new_menu is on");
    }
    {
      await using _ = await serve(false, port);
      await printed("new_menu is off");
    }
    expect(app.ended).toBe(false);
    rmSync(folder, { recursive: true });
  });
});
