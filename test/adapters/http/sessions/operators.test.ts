import { mkdtempSync, rmSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadConfig } from "../../../../src/bootstrap/config/config.ts";
import { allows, type Scope, scopes } from "../../../../src/domain/admin/credential.ts";
import type { Connection } from "../../../../src/infrastructure/connection.ts";
import { openSqlite } from "../../../../src/infrastructure/sqlite/sqlite-connection.ts";
import { plainTokenKey } from "../../../../src/infrastructure/token-key.ts";
import { credentialsOn } from "../../../support/credentials.ts";
import { basic, bearer, startService, type TestService } from "../../../support/service.ts";
import { aChange } from "../../../support/stores.ts";
import { until } from "../../../support/until.ts";

const first = "the-operators-credential";
const rules = (file: string) => `
connections:
  store: { kind: sqlite, file: "${file}" }
tokens: { connection: store, layout: plain }
sources:
  - { name: everyone, kind: set, connection: store, key: global_features }
`;

/** The public routes. All others must declare a scope. */
const open = [
  "get /features",
  "get /features/stream",
  "get /ofrep/v1/stream",
  "get /search",
  "post /ofrep/v1/evaluate/flags",
  "post /ofrep/v1/evaluate/flags/{key}",
  "get /search/{id}",
  "get /health",
  "get /health/live",
  "get /health/ready",
  "post /admin/v1/session",
  "delete /admin/v1/session",
  "get /openapi.json",
  "get /docs",
  "get /docs/{asset}",
  "get /problems/{code}",
];

type Described = { readonly paths: Record<string, Record<string, Operation>> };
type Operation = { security?: Record<string, string[]>[]; responses?: Record<string, unknown> };
type Route = { readonly method: string; readonly path: string; readonly scope: Scope };

async function documentOf(service: TestService): Promise<Described> {
  return (await (await service.get("/openapi.json")).json()) as Described;
}

/** The routes that are not public, with their scopes. Throws for a route without one. */
function operatorsRoutes({ paths }: Described): readonly Route[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, { security = [] }]) => {
      if (open.includes(`${method} ${path}`)) return [];
      const declared = security.map((each) => each["admin"] ?? each["adminAsPassword"] ?? each["session"] ?? []);
      const [[scope] = []] = declared;
      const isOne = scopes.includes(scope as Scope) && declared.every((each) => each.length === 1 && each[0] === scope);
      if (!isOne) throw new Error(`${method} ${path} is neither for everybody nor for operators of one scope`);
      return [{ method, path, scope: scope as Scope }];
    }),
  );
}

const call = (service: TestService, { method, path }: Route, headers: Record<string, string>): Promise<Response> => {
  const body = ["post", "put", "patch"].includes(method) ? "{}" : null;
  return fetch(service.url + path.replaceAll(/\{[^}]+\}/g, "x"), {
    method: method.toUpperCase(),
    headers: { ...headers, ...(body && { "content-type": "application/json" }) },
    body,
  });
};

/** The problem of a response. Streams without end stay unread. */
async function codeOf(response: Response): Promise<string> {
  if (response.headers.get("content-type") === "application/problem+json") {
    return ((await response.json()) as { code: string }).code;
  }
  await response.body?.cancel();
  return "";
}

const wrong: [name: string, headers: Record<string, string>][] = [
  ["none", {}],
  ["an empty header", { authorization: "" }],
  ["a scheme alone", { authorization: "Bearer" }],
  ["another token", bearer("the-operators-credentiaL")],
  ["the beginning of it", bearer(first.slice(0, -1))],
  ["more than it", bearer(`${first}x`)],
  ["it as user name", { authorization: `Basic ${Buffer.from(`${first}:`).toString("base64")}` }],
  ["it in another scheme", { authorization: `Digest ${first}` }],
  ["it without a scheme", { authorization: first }],
  ["it and another", { authorization: `Bearer ${first}, Bearer ${first}` }],
];

describe("operators", () => {
  let folder: string;
  let store: Connection;
  let service: TestService;
  const issued: Partial<Record<Scope, string>> = {};
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "tidegate-operators-"));
    const file = join(folder, "store.db");
    store = openSqlite("store", file);
    for (const scope of scopes) {
      issued[scope] = await credentialsOn(store.documents).add(`the-${scope}`, scope, undefined, { by: "tester" });
    }
    await store.tokenStore(plainTokenKey()).assign({ ...aChange(), token: "1234", userId: "1" });
    service = await startService(rules(file), { TIDEGATE_ADMIN_TOKEN: first });
  });
  afterAll(async () => {
    await service[Symbol.asyncDispose]();
    await store[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  const bearerOf = (scope: Scope) => bearer(issued[scope] ?? "");

  it("of scope recorder can only post events", async () => {
    const routes = operatorsRoutes(await documentOf(service));
    const answers = await Promise.all(
      routes.map(async (route) => {
        const answer = await call(service, route, bearerOf("recorder"));
        return [`${route.method} ${route.path}`, answer.status, await codeOf(answer)];
      }),
    );
    const allowed = answers.filter(([, , code]) => code !== "insufficient-scope");
    expect(allowed).toEqual([
      ["post /events", 422, "validation-failed"],
      ["post /events/", 422, "validation-failed"],
    ]);
    const event = { component: "c", data: {}, email: "a@example.com", environment: "e", message: "m" };
    const posted = await fetch(`${service.url}/events`, {
      method: "POST",
      headers: { ...bearerOf("recorder"), "content-type": "application/json" },
      body: JSON.stringify(event),
    });
    expect([posted.status, await posted.json()]).toEqual([
      201,
      expect.objectContaining({ recorded_by: "the-recorder" }),
    ]);
    const ready = await service.get("/health/ready", bearerOf("recorder"));
    expect(await ready.json()).toEqual({ status: "ready" });
  });

  it("are accepted by each route according to its declared scope", async () => {
    const routes = operatorsRoutes(await documentOf(service));
    expect(routes).toEqual(expect.arrayContaining([{ method: "get", path: "/metrics", scope: "viewer" }]));
    for (const route of routes) {
      const answers: [caller: string, headers: Record<string, string>, status: number, code: string][] = [
        ["nobody", {}, 401, "unauthenticated"],
        ["somebody unknown", bearer(`tgc_${"x".repeat(43)}`), 401, "unauthenticated"],
        ["a client", bearer("1234"), 403, "forbidden"],
        ["a client, as password", basic("1234"), 403, "forbidden"],
        ...scopes
          .filter((scope) => !allows(scope, route.scope))
          .map((scope): (typeof answers)[number] => [scope, bearerOf(scope), 403, "insufficient-scope"]),
      ];
      for (const [caller, headers, status, code] of answers) {
        const refused = await call(service, route, headers);
        expect([route, caller, refused.status, await codeOf(refused)]).toEqual([route, caller, status, code]);
        expect(refused.headers.get("www-authenticate")?.startsWith("Bearer")).toBe(code !== "forbidden" || undefined);
      }
      const allowed = [
        bearer(first),
        basic(first),
        ...scopes.filter((scope) => allows(scope, route.scope)).map(bearerOf),
      ];
      for (const headers of allowed) {
        const answer = await call(service, route, headers);
        expect([route, answer.status]).not.toEqual([route, 401]);
        expect([route, answer.status]).not.toEqual([route, 403]);
        expect([route, answer.headers.get("cache-control")]).toEqual([route, "no-store"]);
        await answer.body?.cancel();
      }
    }
  });

  it("are required by a planted route without a scope", async () => {
    const { paths } = await documentOf(service);
    const planted = (security?: Record<string, string[]>[]) => ({
      paths: { ...paths, "/planted": { post: security ? { security } : {} } },
    });
    for (const security of [undefined, [], [{}], [{ admin: [] }], [{ bearer: [] }], [{ admin: ["viewer"] }, {}]]) {
      expect(() => operatorsRoutes(planted(security))).toThrow("post /planted is neither");
    }
    expect(operatorsRoutes(planted([{ admin: ["editor"] }]))).toContainEqual({
      method: "post",
      path: "/planted",
      scope: "editor",
    });
  });

  it("are not needed for public routes", async () => {
    const { paths } = await documentOf(service);
    for (const route of open) {
      const [method = "", path = ""] = route.split(" ");
      const security = paths[path]?.[method]?.security ?? [];
      const isPublic = security.length === 0 || security.some((each) => Object.keys(each).length === 0);
      expect([route, isPublic]).toEqual([route, true]);
      if (method !== "get") continue;
      const answer = await service.get(path.replace("{asset}", "page.js").replace("{code}", "forbidden"));
      await answer.body?.cancel();
      // The service has no item, and the request names no channel.
      const isMissing = ["/search/{id}", "/ofrep/v1/stream"].includes(path);
      expect([route, answer.status]).toEqual([route, isMissing ? 404 : 200]);
    }
  });

  it.each(wrong)("are not authenticated by %s, and get a hint", async (_, headers) => {
    const refused = await service.get("/metrics", headers);
    const text = await refused.text();
    expect([refused.status, JSON.parse(text)]).toEqual([
      401,
      expect.objectContaining({
        code: "unauthenticated",
        detail: expect.stringContaining("Send Authorization: Bearer with a credential"),
      }),
    ]);
    expect(text).not.toContain(first);
  });

  it("find the access problems of each route in the document", async () => {
    const described = await documentOf(service);
    for (const { method, path } of operatorsRoutes(described)) {
      expect([path, Object.keys(described.paths[path]?.[method]?.responses ?? {})]).toEqual([
        path,
        expect.arrayContaining(["401", "403", "503"]),
      ]);
    }
  });

  it("get the required scope in the problem", async () => {
    const route = operatorsRoutes(await documentOf(service)).find(({ scope }) => scope !== "viewer");
    if (!route) return;
    const refused = await call(service, route, bearerOf("viewer"));
    expect(refused.headers.get("www-authenticate")).toBe(
      `Bearer realm="tidegate", error="insufficient_scope", scope="${route.scope}"`,
    );
    expect(((await refused.json()) as { detail: string }).detail).toContain(`requires ${route.scope}`);
  });

  it("are rejected soon after their credential is revoked elsewhere", async () => {
    const credentials = credentialsOn(store.documents);
    const secret = await credentials.add("short-lived", "viewer", undefined, { by: "tester" });
    const status = async () => (await service.get("/metrics", bearer(secret))).status;
    await until(async () => (await status()) === 200, "the new credential is known");
    await credentials.revoke("short-lived", { by: "tester" });
    await until(async () => (await status()) === 401, "the revoked credential is refused");
  });

  it("are recorded by the name and email of their credential, not by fields of the request", async () => {
    const secret = await credentialsOn(store.documents).add("ana", "editor", "ana@example.org", { by: "tester" });
    const url = `${service.url}/admin/v1/sources/everyone/features/logged`;
    const headers = { ...bearer(secret), "x-author": "mallory", from: "mallory@example.org" };
    await until(async () => (await fetch(url, { method: "PUT", headers })).status === 200, "the change is made");
    const logged = async () => {
      const answer = await service.get("/events?email=ana@example.org", bearer(secret));
      return ((await answer.json()) as { events: Record<string, unknown>[] }).events;
    };
    await until(async () => (await logged()).length > 0, "the change is in the log");
    expect(await logged()).toMatchObject([
      { component: "features", email: "ana@example.org", recorded_by: "ana", message: "global_features: logged added" },
    ]);
  });

  it("are not clients: credentials are not tokens", async () => {
    for (const secret of [first, issued.admin ?? ""]) {
      expect((await service.get("/features", bearer(secret))).status).toBe(401);
    }
  });

  it("are accepted from the cache, or get 503, while the credential store is unavailable", async () => {
    const file = join(folder, "broken.db");
    await using broken = openSqlite("store", file);
    const secret = await credentialsOn(broken.documents).add("known", "viewer", undefined, { by: "tester" });
    const other = await credentialsOn(broken.documents).add("not-seen-yet", "viewer", undefined, { by: "tester" });
    await using away = await startService(rules(file), { TIDEGATE_ADMIN_TOKEN: first });
    expect((await away.get("/metrics", bearer(secret))).status).toBe(200);
    using raw = new DatabaseSync(file);
    raw.exec("ALTER TABLE documents RENAME TO documents_away");
    const statusOf = async (token: string) => (await away.get("/metrics", bearer(token))).status;
    await until(async () => (await statusOf("unknown")) === 503, "the service notices the outage");
    expect([await statusOf(secret), await statusOf(first)]).toEqual([200, 200]);
    const refused = await away.get("/metrics", bearer("unknown"));
    expect([refused.headers.get("retry-after"), await codeOf(refused)]).toEqual(["1", "source-unavailable"]);
    raw.exec("ALTER TABLE documents_away RENAME TO documents");
    await until(async () => (await statusOf(other)) === 200, "the store is read again");
  });
});

describe("pages of other origins", () => {
  let folder: string;
  let service: TestService;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "tidegate-origins-"));
    const yaml = `server: { cors: { origins: ["*"] } }\n${rules(join(folder, "store.db"))}`;
    service = await startService(yaml, { TIDEGATE_ADMIN_TOKEN: first });
  });
  afterAll(async () => {
    await service[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  /** Fetch does not let these headers be set. */
  const asBrowser = (path: string, headers: Record<string, string>, method = "GET") =>
    new Promise<{ status: number; headers: Record<string, unknown>; body: string }>((resolve, reject) => {
      request(service.url + path, { method, headers: { ...bearer(first), ...headers } }, (response) => {
        let body = "";
        response.setEncoding("utf8").on("data", (text) => {
          body += text;
        });
        response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
      })
        .on("error", reject)
        .end();
    });

  it.each<Record<string, string>>([
    { origin: "https://evil.example" },
    { origin: "null" },
    { origin: "nonsense" },
    { origin: "" },
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site" },
    { "sec-fetch-site": "cross-site", origin: "https://evil.example" },
  ])("cannot call operator routes, regardless of CORS: %j", async (headers) => {
    for (const { method, path } of operatorsRoutes(await documentOf(service))) {
      const refused = await asBrowser(path.replaceAll(/\{[^}]+\}/g, "x"), headers, method.toUpperCase());
      expect([path, refused.status, JSON.parse(refused.body).code]).toEqual([path, 403, "cross-origin"]);
      expect(Object.keys(refused.headers).filter((name) => name.startsWith("access-control"))).toEqual([]);
    }
    const asked = { origin: "https://evil.example", "access-control-request-method": "GET" };
    const preflight = await asBrowser("/metrics", asked, "OPTIONS");
    expect(Object.keys(preflight.headers).filter((name) => name.startsWith("access-control"))).toEqual([]);
    expect((await asBrowser("/health/ready", headers)).body).toBe('{"status":"ready"}');
  });

  it("differ from own pages and from clients other than browsers", async () => {
    const own = new URL(service.url).host;
    for (const headers of [
      {},
      { origin: service.url },
      { origin: `https://${own}` },
      { "sec-fetch-site": "none" },
      { "sec-fetch-site": "same-origin", origin: "https://behind-a-proxy.example" },
    ]) {
      expect([headers, (await asBrowser("/metrics", headers)).status]).toEqual([headers, 200]);
    }
  });

  it("can get features if CORS allows it", async () => {
    const { status, headers } = await asBrowser("/features", { origin: "https://app.example", authorization: "" });
    expect([status, headers["access-control-allow-origin"]]).toEqual([401, "*"]);
  });
});

describe("readiness", () => {
  it("returns the status to everyone, and details to operators", async () => {
    await using service = await startService(rules(":memory:"), { TIDEGATE_ADMIN_TOKEN: first });
    for (const [name, headers] of wrong) {
      const answer = await service.get("/health/ready", headers);
      expect([name, answer.status, await answer.text()]).toEqual([name, 200, '{"status":"ready"}']);
    }
    expect(await (await service.get("/health/ready", bearer(first))).json()).toMatchObject({
      status: "ready",
      connections: { store: "answering" },
      sources: { everyone: "answering" },
    });
  });

  it("returns them while not ready too", async () => {
    const away = rules("").replace(/store: \{.*\}/, 'store: { kind: redis, url: "redis://127.0.0.1:1" }');
    await using service = await startService(away, { TIDEGATE_ADMIN_TOKEN: first });
    const answer = await service.get("/health/ready");
    expect([answer.status, await answer.text()]).toEqual([503, '{"status":"not ready"}']);
    const notified = await service.get("/health/ready", basic(first));
    expect([notified.status, await notified.json()]).toEqual([
      503,
      expect.objectContaining({
        status: "not ready",
        connections: { store: "failing" },
        sources: { everyone: "failing" },
      }),
    ]);
  });
});

describe("the first credential of operators", () => {
  it.each(["short", "fifteen-letters", "sixteen and spaces", "sechzehn-zeichen-größer"])(
    "is rejected with the fix, without repeating it: %j",
    async (value) => {
      const error = await loadConfig("config/embedded.yaml", { TIDEGATE_ADMIN_TOKEN: value }).catch(String);
      expect(error).toContain(
        "environment TIDEGATE_ADMIN_TOKEN: invalid credential (expected 16 or more visible ASCII",
      );
      expect(error).not.toContain(value);
    },
  );
});
