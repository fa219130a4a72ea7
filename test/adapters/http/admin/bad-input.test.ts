import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { adminToken, type Operator, sqliteRules, startOperator } from "../../../support/operator.ts";
import { rawGet, sendRaw } from "../../../support/raw-http.ts";
import { bearer } from "../../../support/service.ts";
import { until } from "../../../support/until.ts";

type Document = { paths: Record<string, Record<string, { responses: Record<string, unknown> }>> };
/** Routes whose queries other files test. */
const others = ["/admin/v1/cache", "/admin/v1/explain", "/admin/v1/diff"];

let operator: Operator & AsyncDisposable;
let document: Document;
let untouched: unknown;
const all = async () => {
  const { body } = await operator.get("/features?limit=1000");
  const features = body.features.map(({ lastChange: _, ...feature }: { lastChange: unknown }) => feature);
  return [features, (await operator.get("/killed")).body, (await operator.get("/users/1")).body];
};
beforeAll(async () => {
  operator = await startOperator(sqliteRules);
  document = (await (await operator.service.get("/openapi.json")).json()) as Document;
  await operator.post("/changes", {
    changes: [
      { source: "active", add: ["active_1", "active_2", "a"] },
      { source: "global", add: ["a"] },
    ],
  });
  const isRecorded = async () => (await operator.get("/killed")).body.revision !== "none.0";
  await until(isRecorded, "the sets have baseline records");
  untouched = await all();
});
afterAll(async () => {
  expect(await all()).toEqual(untouched);
  await operator[Symbol.asyncDispose]();
});

describe("an invalid feature key", () => {
  const keys = [
    "x".repeat(201),
    "a b",
    "\u00e9",
    "e\u0301",
    "a\u200fb",
    "<script>alert(1)<",
    "{{7*7}}",
    "javascript:alert(1)",
    "=cmd|' C calc'!A0",
    "-1+1",
    "@SUM(1)",
    "*",
    "active_*",
    "__proto__",
    ".hidden",
  ];

  it.each(keys)("is rejected as a new grant: %j", async (key) => {
    const path = encodeURIComponent(key);
    const refusals = [
      await operator.put(`/sources/global/features/${path}`),
      await operator.put(`/sources/global/features/${path}?dryRun=true`),
    ];
    for (const { status, body, headers } of refusals) {
      expect([status, body.code]).toEqual([422, "invalid-feature-key"]);
      expect(headers.get("content-type")).toBe("application/problem+json");
      expect(headers.get("x-content-type-options")).toBe("nosniff");
    }
    const { body } = await operator.post("/changes", { changes: [{ source: "global", add: ["b", key] }] });
    expect(body.results).toMatchObject([{ status: 422, code: "invalid-feature-key" }]);
  });

  it.each(["", "a\n", "x".repeat(1_025)])("is rejected in a body: %j", async (key) => {
    for (const change of [{ add: [key] }, { remove: [key] }]) {
      const { body } = await operator.post("/changes", { changes: [{ source: "active", ...change }] });
      expect(body.results).toMatchObject([{ status: 422, code: "invalid-feature-key" }]);
    }
  });

  it("is not a valid path", async () => {
    for (const key of ["a%00", "a%0d%0aX:1", "a//b", "%ff"]) {
      const refused = await operator.put(`/sources/global/features/${key}`);
      expect([key, refused.status, refused.body.code]).toEqual([key, 400, "bad-path"]);
    }
    const dotted = await rawGet(operator.service.url, "/admin/v1/features/%2e%2e/killed");
    expect([dotted.status, JSON.parse(dotted.body).code]).toEqual([400, "bad-path"]);
    expect((await operator.put("/sources/global/features/")).status).toBe(404);
    const nul = await operator.post("/changes", { changes: [{ source: "active", add: ["a\u0000"] }] });
    expect([nul.status, nul.body.code]).toEqual([422, "validation-failed"]);
  });
});

describe("an invalid query", () => {
  it.each(["-1", "0", "1001", "1e9", "abc", "1.5", " ", "", "0x10", "1&limit=2"])(
    "is rejected for the limit %j",
    async (limit) => {
      const refused = await operator.get(`/features?limit=${limit}`);
      expect([refused.status, refused.body.code]).toEqual([400, "invalid-query"]);
      expect(refused.body.detail).toContain('"limit"');
    },
  );

  it.each([
    "limit[]=1",
    "Limit=1",
    "search=a&search=b",
    "search=%00",
    "search=%ff",
    `search=${"x".repeat(201)}`,
    "page=2",
  ])("is rejected: %j", async (query) => {
    const refused = await operator.get(`/features?${query}`);
    expect([refused.status, refused.body.code]).toEqual([400, "invalid-query"]);
  });

  it.each(["x", "YQ", "YWJj", "../..", "%00", `${"A".repeat(3_000)}`])(
    "is rejected for the cursor %j",
    async (cursor) => {
      const refused = await operator.get(`/features?cursor=${cursor}`);
      expect([refused.status, refused.body.code]).toEqual([400, cursor === "%00" ? "invalid-query" : "invalid-cursor"]);
    },
  );

  it("is rejected for an unknown parameter on each route", async () => {
    const routes = Object.entries(document.paths).filter(
      ([path]) => path.startsWith("/admin/v1/") && !others.includes(path),
    );
    expect(routes.length).toBeGreaterThanOrEqual(12);
    for (const [path, methods] of routes) {
      for (const [method, { responses }] of Object.entries(methods)) {
        const url = `${operator.service.url}${path.replaceAll(/\{[^}]+\}/g, "active")}?actor=root`;
        const answer = await fetch(url, { method: method.toUpperCase(), headers: bearer(adminToken) });
        const { code } = (await answer.json()) as { code: string };
        expect([method, path, answer.status, code]).toEqual([method, path, 400, "invalid-query"]);
        expect(responses).toHaveProperty("400");
      }
    }
  });

  it.each([
    ["/sources/user/features", "userId"],
    ["/sources/user/features/a", "userId"],
    ["/sources/user/features?location=madrid", "userId"],
    ["/sources/user/features?userId=1&location=madrid", "location"],
    ["/sources/global/features?userId=1", "userId"],
    ["/sources/location/features?targetingKey=1", "targetingKey"],
  ])("must select one set, unlike %s", async (path, field) => {
    const refused = await operator.get(path);
    expect([refused.status, refused.body.code]).toEqual([400, "invalid-query"]);
    expect(refused.body.detail).toContain(`"${field}"`);
  });

  it("is rejected for an invalid user or location", async () => {
    for (const query of [`user/features?userId=${"x".repeat(201)}`, `location/features?location=${"x".repeat(201)}`]) {
      const refused = await operator.get(`/sources/${query}`);
      expect([refused.status, refused.body.code]).toEqual([422, "validation-failed"]);
    }
  });

  it.each(["dryRun=yes", "dryRun=", "dryRun=true&dryRun=true", `note=${"x".repeat(501)}`, "note=%20", "wait=true"])(
    "is rejected for the change option %s",
    async (query) => {
      const refused = await operator.put(`/sources/global/features/b?${query}`);
      expect([refused.status, refused.body.code]).toEqual([400, "invalid-query"]);
    },
  );

  it("is rejected for an unknown source or one without sets", async () => {
    for (const call of [operator.get, operator.put, operator.delete]) {
      const unknown = await call("/sources/globl/features/a");
      expect([unknown.status, unknown.body.code]).toEqual([404, "unknown-source"]);
      const literal = await call("/sources/literal/features/a");
      expect([literal.status, literal.body.code]).toEqual([409, "not-changeable"]);
    }
    expect((await operator.get("/sources/__proto__/features")).body.code).toBe("unknown-source");
  });
});

describe("a body with unknown members", () => {
  it.each([{ actor: "root" }, { isAdmin: true }, { note: "x" }, { by: "root" }])("is rejected: %j", async (body) => {
    for (const path of ["/sources/global/features/b", "/killed/b", "/catalogue/b"]) {
      const refused = await operator.put(path, {}, body);
      expect([path, refused.status, refused.body.code]).toEqual([path, 422, "validation-failed"]);
      expect(refused.body.errors[0].pointer).toBe(`/${Object.keys(body)[0]}`);
    }
    const url = `${operator.service.url}/admin/v1/killed/a`;
    const headers = { ...bearer(adminToken), "content-type": "application/json" };
    const refused = await fetch(url, { method: "DELETE", headers, body: JSON.stringify(body) });
    expect(refused.status).toBe(422);
  });

  it("is rejected if it is not JSON, has another type or is too large", async () => {
    const plain = { "content-type": "text/plain" };
    for (const [body, headers, status, code] of [
      ["{", {}, 400, "invalid-json"],
      ['{"a":1,"a":2}', {}, 400, "invalid-json"],
      ['{"__proto__":{}}', {}, 400, "invalid-json"],
      ["{}", plain, 415, "unsupported-media-type"],
      ["{}", { "content-encoding": "gzip" }, 415, "unsupported-media-type"],
      [`"${"x".repeat(200_000)}"`, {}, 413, "payload-too-large"],
    ] as const) {
      const refused = await operator.put("/killed/b", headers, body);
      expect([body.slice(0, 20), refused.status, refused.body.code]).toEqual([body.slice(0, 20), status, code]);
    }
    const bulk = `{"changes":[{"source":"active","add":["${"x".repeat(4_194_304)}"]}]}`;
    expect((await operator.post("/changes", bulk)).body.code).toBe("payload-too-large");
    expect((await operator.post("/changes", "")).status).toBe(400);
  });
});

describe("an invalid header", () => {
  it.each(["x".repeat(256), "x".repeat(1_024), "a b", "\u00e9", ""])("is rejected: Idempotency-Key %j", async (key) => {
    const refused = await operator.put("/sources/global/features/b", { "idempotency-key": key });
    expect([refused.status, refused.body.code]).toEqual([400, "invalid-header"]);
  });

  it.each(["x", '"x', '"a" "b"', "W/x", '"a",', ""])("is rejected: If-Match %j", async (tag) => {
    for (const path of ["/sources/global/features/b", "/killed/b", "/catalogue/b"]) {
      const refused = await operator.put(path, { "if-match": tag }, path.includes("catalogue") ? {} : undefined);
      expect([path, refused.status, refused.body.code]).toEqual([path, 400, "invalid-header"]);
    }
  });

  it("cannot contain a line end", async () => {
    const key = "Idempotency-Key: a\rX: b";
    const head = `PUT /admin/v1/killed/b HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${adminToken}\r\n${key}\r\n\r\n`;
    expect((await sendRaw(operator.service.url, head)).status).toBe(400);
  });
});

describe("an unsupported method", () => {
  it.each([
    ["POST", "/features", "GET, HEAD, OPTIONS"],
    ["PATCH", "/killed/a/b", "PUT, DELETE, OPTIONS"],
    ["POST", "/sources/global/features/a/b", "GET, PUT, DELETE, HEAD, OPTIONS"],
    ["GET", "/changes", "POST, OPTIONS"],
  ])("returns the supported methods: %s %s", async (method, path, allow) => {
    const refused = await fetch(`${operator.service.url}/admin/v1${path}`, { method, headers: bearer(adminToken) });
    expect([refused.status, refused.headers.get("allow")]).toEqual([405, allow]);
  });
});
