import { once } from "node:events";
import { Validator } from "@seriousme/openapi-schema-validator";
import { InMemStorageProvider, Unleash } from "unleash-client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { adminToken } from "../../../support/operator.ts";
import { bearer, startService, type TestService } from "../../../support/service.ts";
import { startUnleashServer, type UnleashServer } from "../../../support/unleash-server.ts";
import { until } from "../../../support/until.ts";

const documentWith = (enabled: boolean) => `{
  "version": 2, "features": [
  { "name": "chat", "enabled": ${enabled}, "strategies": [{ "name": "default", "parameters": {} }], "unknown": 1.50 }]
}`;

const features = "/api/client/features";

describe("Unleash's client API", () => {
  let server: UnleashServer;
  let service: TestService;
  beforeAll(async () => {
    server = await startUnleashServer(documentWith(true));
    service = await startService(
      `
compatibility: { unleash: { source: unleash } }
connections: { features: { kind: sqlite, file: "\${FOLDER}/store.db" } }
tokens: { connection: features, layout: plain }
sources:
  - { name: everyone, kind: set, connection: features, key: global_features }
  - { name: unleash, kind: unleash, url: "${server.url}", token: "server-token", pollSeconds: 1 }
`,
      { TIDEGATE_ADMIN_TOKEN: adminToken },
    );
    await service.readyWithin(20_000);
  });
  afterAll(async () => {
    await service[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  const get = (headers: Record<string, string> = {}) =>
    service.get(features, { authorization: adminToken, ...headers });
  const post = (kind: string, body: unknown, key = adminToken) =>
    fetch(`${service.url}/api/client/${kind}`, {
      method: "POST",
      headers: { authorization: key, "content-type": "application/json", "unleash-sdk": "unleash-node-sdk:1" },
      body: JSON.stringify(body),
    });
  const countOf = async (event: string) => {
    const text = await (await service.get("/metrics", bearer(adminToken))).text();
    return Number(new RegExp(`^tidegate_unleash_reports_total\\{.*event="${event}".*\\} (\\d+)`, "m").exec(text)?.[1]);
  };

  it("returns the document unchanged, with an ETag", async () => {
    const first = await get();
    expect(first.status).toBe(200);
    expect(await first.text()).toBe(server.document);
    expect(first.headers.get("cache-status")).toBeNull();
    const etag = first.headers.get("etag") ?? "";
    expect((await get({ "if-none-match": `W/${etag}` })).status).toBe(304);
  });

  it("returns the last document, marked as stale, while the server is down", async () => {
    const before = await (await get()).text();
    server.isDown = true;
    const isMarked = async () => (await get()).headers.get("cache-status")?.includes("stale") ?? false;
    await until(isMarked, "the document is marked as stale");
    const stale = await get();
    expect([stale.status, await stale.text()]).toEqual([200, before]);
    expect(Number(stale.headers.get("age"))).toBeGreaterThan(0);
    server.isDown = false;
    await until(async () => !(await isMarked()), "the document is current again");
  });

  it("describes its routes in valid OpenAPI", async () => {
    const document = (await (await service.get("/openapi.json")).json()) as { paths: object };
    expect(Object.keys(document.paths)).toEqual(expect.arrayContaining([features, "/api/frontend", "/api/proxy"]));
    expect((await new Validator().validate(document)).errors).toBeUndefined();
  });

  it.each([
    [401, "unknown"],
    [401, ""],
  ])("returns %i for the key %j", async (status, authorization) => {
    expect((await get({ authorization })).status).toBe(status);
    expect((await post("metrics", { appName: "shop" }, authorization)).status).toBe(status);
  });

  it("forwards metrics and registrations with the key of the source", async () => {
    const bucket = { start: "a", stop: "b", toggles: { chat: { yes: 2, no: 0, variants: {} } } };
    expect((await post("metrics", { appName: "shop", bucket })).status).toBe(202);
    expect((await post("register", { appName: "shop", strategies: ["default"], interval: 1 })).status).toBe(202);
    await until(() => server.reports.length >= 2, "the reports arrive");
    expect(server.reports).toMatchObject([
      {
        path: "/api/client/metrics",
        body: { appName: "shop", bucket },
        headers: { authorization: "server-token", "unleash-sdk": "unleash-node-sdk:1" },
      },
      { path: "/api/client/register", body: { appName: "shop", strategies: ["default"], interval: 1 } },
    ]);
    await until(async () => (await countOf("forwarded")) >= 2, "the metrics count them");
    expect(JSON.stringify(server.reports)).not.toContain(adminToken);
  });

  it("accepts reports while the server is down, and drops them", async () => {
    const dropped = await countOf("dropped");
    server.isDown = true;
    expect((await post("metrics", { appName: "shop" })).status).toBe(202);
    await until(async () => (await countOf("dropped")) > dropped, "the report is dropped");
    server.isDown = false;
  });

  it("forwards the metrics of frontend SDKs too, but not their registration", async () => {
    const before = server.reports.length;
    for (const kind of ["register", "metrics"]) {
      const response = await fetch(`${service.url}/api/frontend/client/${kind}`, {
        method: "POST",
        headers: { authorization: adminToken, "content-type": "application/json" },
        body: '{"appName":"web"}',
      });
      expect(response.status).toBe(202);
    }
    await until(() => server.reports.length > before, "the metrics arrive");
    expect(server.reports.at(-1)).toMatchObject({ path: "/api/client/metrics", body: { appName: "web" } });
  });

  it.each(["[]", "{}", '{"appName":"shop","bucket":{"toggles":{"chat":{"yes":-1}}}}'])(
    "rejects the report %j",
    async (body) => {
      expect((await post("metrics", JSON.parse(body))).status).toBe(400);
    },
  );

  it("serves unleash-client: a feature that goes off and on, its registration and metrics", async () => {
    const before = server.reports.length;
    const errors: unknown[] = [];
    const unleash = new Unleash({
      url: `${service.url}/api/`,
      appName: "backend",
      customHeaders: { Authorization: adminToken },
      refreshInterval: 50,
      metricsInterval: 100,
      storageProvider: new InMemStorageProvider(),
      skipInstanceCountWarning: true,
    });
    unleash.on("error", (error) => errors.push(error));
    unleash.on("warn", (warning) => errors.push(warning));
    try {
      await once(unleash, "synchronized");
      expect(unleash.isEnabled("chat")).toBe(true);
      server.document = documentWith(false);
      await until(() => !unleash.isEnabled("chat"), "the feature goes off");
      server.document = documentWith(true);
      await until(() => unleash.isEnabled("chat"), "the feature goes on");
      const paths = () => server.reports.slice(before).map(({ path }) => path);
      await until(() => new Set(paths()).size === 2, "the registration and the metrics arrive");
      expect(errors).toEqual([]);
    } finally {
      unleash.destroy();
    }
  });
});

describe("before the first read of the document", () => {
  it("returns 503 with Retry-After", async () => {
    await using server = await startUnleashServer("{}");
    server.isDown = true;
    await using service = await startService(
      `compatibility: { unleash: { source: unleash } }\nsources: [{ name: unleash, kind: unleash, url: "${server.url}" }]\n`,
      { TIDEGATE_ADMIN_TOKEN: adminToken },
    );
    const response = await service.get(features, { authorization: adminToken });
    expect(response.status).toBe(503);
    expect(response.headers.get("retry-after")).toBe("1");
  });
});

describe("without compatibility with Unleash", () => {
  it("has no such routes", async () => {
    await using service = await startService("sources: [{ name: a, kind: static, features: { a: true } }]\n");
    for (const path of ["/api/frontend", "/api/proxy", features]) {
      expect((await service.get(path, { authorization: "x" })).status).toBe(404);
    }
    const post = await fetch(`${service.url}/api/frontend/client/metrics`, { method: "POST", body: "{}" });
    expect(post.status).toBe(404);
  });
});
