import { Validator } from "@seriousme/openapi-schema-validator";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type HttpOptions, httpApp } from "../../../src/adapters/http/app.ts";
import { problemTypes } from "../../../src/adapters/http/problems/problem-types.ts";
import { startService, type TestService } from "../../support/service.ts";

const yaml = "sources: [{ name: everyone, kind: static, features: { feature_1: true } }]\n";

type Document = {
  paths: Record<string, Record<string, { responses: Record<string, unknown>; summary?: string }>>;
};

describe("the OpenAPI document", () => {
  let service: TestService;
  let document: Document;
  beforeAll(async () => {
    service = await startService(yaml);
    document = (await (await service.get("/openapi.json")).json()) as Document;
  });
  afterAll(() => service[Symbol.asyncDispose]());

  it("is valid OpenAPI 3.1", async () => {
    const result = await new Validator().validate(structuredClone(document));
    expect(result.errors).toBeUndefined();
    expect(result.valid).toBe(true);
    expect(await new Validator().validate({ ...structuredClone(document), paths: { nonsense: 1 } })).toMatchObject({
      valid: false,
    });
  });

  it("describes exactly the existing routes", () => {
    // Routes are registered without calling the use cases behind them.
    const app = httpApp({
      logRequests: false,
      sharing: undefined,
      callContext: { attributes: { parameters: [] } },
    } as unknown as HttpOptions);
    const served = app.routes.map(
      ({ method, path }) => `${method} ${path.replace("{[^]+}", "").replaceAll(/:([^/]+)/g, "{$1}")}`,
    );
    const described = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(described.sort()).toEqual([...new Set(served)].sort());
    expect(described.length).toBeGreaterThan(5);
  });

  it("has a summary for each route, and each observed status", async () => {
    for (const methods of Object.values(document.paths)) {
      for (const { summary } of Object.values(methods)) expect(summary).toBeTruthy();
    }
    const seen = [
      ["/features", await service.get("/features")],
      ["/features", await service.get("/features", { authorization: "Bearer x" })],
      ["/features", await service.get("/features?location=%00")],
      ["/features", await service.get("/features", { accept: "text/html" })],
      ["/features", await service.get("/features", { "if-none-match": "*" })],
      ["/health/ready", await service.get("/health/ready")],
      ["/docs/{asset}", await service.get("/docs/none")],
      ["/problems/{code}", await service.get("/problems/invalid-token")],
    ] as const;
    expect(seen.map(([, { status }]) => status)).toEqual([200, 401, 400, 406, 304, 200, 404, 200]);
    for (const [path, { status }] of seen) expect(document.paths[path]?.["get"]?.responses).toHaveProperty(`${status}`);
  });

  it("is shown by a page that loads nothing from other hosts", async () => {
    const page = await service.get("/docs");
    const html = await page.text();
    expect(page.headers.get("content-security-policy")).toMatch(/^default-src 'none'; script-src 'self';/);
    const parts = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, part]) => part ?? "");
    expect(parts.length).toBeGreaterThan(3);
    for (const part of parts) {
      expect(part).not.toMatch(/^(https?:)?\/\//);
      expect((await service.get(`/${part}`)).status).toBe(200);
    }
    expect(await (await service.get("/docs/page.js")).text()).toContain('url: "openapi.json"');
  });
});

describe("problem types", () => {
  it("lead to their description", async () => {
    await using service = await startService(yaml);
    for (const [code, description] of Object.entries(problemTypes)) {
      const response = await service.get(`/problems/${code}`);
      expect(await response.json()).toEqual({ code, ...description });
    }
  });
});

describe("health", () => {
  it("uses the response of the seed, and is ready once the sources respond", async () => {
    await using service = await startService(yaml);
    expect(await (await service.get("/health")).text()).toBe('{"status":"healthy"}');
    expect(await (await service.get("/health/live")).text()).toBe('{"status":"live"}');
    const ready = await service.get("/health/ready");
    expect([ready.status, await ready.json()]).toEqual([200, { status: "ready" }]);
  });
});

describe("other origins", () => {
  const origin = "https://app.example";
  const ask = (service: TestService, from: string) => service.get("/features", { origin: from });

  it("are rejected by default", async () => {
    await using service = await startService(yaml);
    expect((await ask(service, origin)).headers.has("access-control-allow-origin")).toBe(false);
  });

  it("are accepted if listed, and can read the ETag", async () => {
    await using service = await startService(`server: { cors: { origins: ["${origin}"] } }\n${yaml}`);
    const listed = await ask(service, origin);
    expect(listed.headers.get("access-control-allow-origin")).toBe(origin);
    expect(listed.headers.get("access-control-expose-headers")).toContain("ETag");
    expect(listed.headers.get("vary")).toBe("Authorization, Origin");
    expect((await ask(service, "https://evil.example")).headers.has("access-control-allow-origin")).toBe(false);
    const preflight = await fetch(`${service.url}/features`, {
      method: "OPTIONS",
      headers: { origin, "access-control-request-method": "GET", "access-control-request-headers": "authorization" },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get("access-control-allow-headers")).toContain("Authorization");
    expect(preflight.headers.get("access-control-allow-methods")).toBe("GET,HEAD");
    const question = await fetch(`${service.url}/features`, { method: "OPTIONS", headers: { origin } });
    expect([question.status, question.headers.get("allow")]).toEqual([204, "GET, HEAD, OPTIONS"]);
    const refused = await service.get("/features", { origin, authorization: "Bearer x" });
    expect([refused.status, refused.headers.get("access-control-allow-origin")]).toEqual([401, origin]);
  });
});
