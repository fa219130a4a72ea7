import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { admin, order, type Page, type Shown, send } from "../../support/event-calls.ts";
import { rawGet, sendRaw } from "../../support/raw-http.ts";
import { bearer, startService, type TestService } from "../../support/service.ts";

const yaml = (more: string) => `
${more}
connections:
  store: { kind: sqlite, file: "\${FOLDER}/store.db" }
sources:
  - { name: fixed, kind: static, features: { feature_1: true } }
`;

describe("clients of the activity service", () => {
  let service: TestService;
  let origin: string;
  const get = (path: string) => fetch(origin + path, { headers: bearer(admin) });
  beforeAll(async () => {
    const more = "server: { basePath: /api, timeZone: Europe/Madrid }\ncompatibility: { activityService: true }";
    service = await startService(yaml(more), { TIDEGATE_ADMIN_TOKEN: admin });
    ({ origin } = new URL(service.url));
  });
  afterAll(() => service[Symbol.asyncDispose]());

  it("find all routes below the base path, and none elsewhere", async () => {
    expect(service.url).toBe(`${origin}/api`);
    for (const path of ["/api/health", "/api/heath", "/api/events", "/api/search"]) {
      expect([path, (await get(path)).status]).toEqual([path, 200]);
    }
    for (const path of [
      "/features",
      "/health",
      "/",
      "/api",
      "/api/",
      "/apifeatures",
      "/API/features",
      "/api/api/features",
    ]) {
      const answer = await get(path);
      expect([path, answer.status, ((await answer.json()) as { code: string }).code]).toEqual([path, 404, "not-found"]);
    }
    for (let time = 0; time < 2; time++) expect((await service.get("/features")).status).toBe(200);
    expect((await rawGet(origin, "/api/../features")).status).toBe(400);
    expect((await rawGet(origin, "/api//features")).status).toBe(400);
    expect((await rawGet(origin, "http://example.com/api/features")).status).toBe(200);
    expect((await sendRaw(origin, "OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")).status).toBe(204);
  });

  it("get the health response that they expect", async () => {
    expect(await (await get("/api/heath")).json()).toEqual({ status: "healthy" });
  });

  it("can follow links and read the OpenAPI document", async () => {
    for (const message of ["one", "two"])
      await send(service, JSON.stringify({ ...order, component: "linked", message }));
    const first = await get("/api/events?component=linked&limit=1");
    const link = /^<(.*)>; rel="next"$/.exec(first.headers.get("link") ?? "")?.[1] ?? "";
    expect(link).toMatch(/^\/api\/events\?/);
    expect(((await (await get(link)).json()) as Page).events).toMatchObject([{ message: "one" }]);
    const { servers, paths } = (await (await get("/api/openapi.json")).json()) as Record<string, object>;
    expect([servers, Object.keys(paths ?? {})]).toEqual([[{ url: "/api" }], expect.arrayContaining(["/heath"])]);
    expect((await get("/api/docs/swagger-ui.css")).status).toBe(200);
  });

  const { email: _, ...anonymous } = order;
  it.each<[string, object, unknown, string | null]>([
    ["without an email", anonymous, order.data, null],
    ["with null for an email", { ...order, email: null }, order.data, null],
    ["with a list", { ...order, data: [1, { a: null }] }, [1, { a: null }], order.email],
    ["with a text", { ...order, data: "text" }, "text", order.email],
    ["with a number", { ...order, data: -1.5 }, -1.5, order.email],
    ["with false", { ...order, data: false }, false, order.email],
    ["with null", { ...order, data: null }, null, order.email],
    ["without data", { ...order, data: undefined }, null, order.email],
  ])("record an event %s", async (component, event, data, email) => {
    const response = await send(service, JSON.stringify({ ...event, component }));
    const recorded = (await response.json()) as Shown;
    expect([response.status, recorded.data, recorded.email]).toEqual([201, data, email]);
    const found = (await (await get(`/api/events?component=${encodeURIComponent(component)}`)).json()) as Page;
    expect(found.events).toEqual([recorded]);
  });

  it("get 422 for invalid emails, numbers that lose digits and too large data", async () => {
    for (const event of [
      JSON.stringify({ ...order, email: "ade" }),
      JSON.stringify({ ...order, email: "" }),
      JSON.stringify(order).replace("20", "1e999"),
      JSON.stringify({ ...order, data: "x".repeat(70_000) }),
    ]) {
      expect((await send(service, event)).status).toBe(422);
    }
  });

  it("leave a verifiable log", async () => {
    const csv = await (await get("/api/events/export?format=csv&component=with%20a%20number")).text();
    expect(csv).toContain("order failed,'-1.5,admin");
  });

  it("use dates in the configured time zone", async () => {
    const { time } = (await (await send(service, JSON.stringify({ ...order, component: "dated" }))).json()) as Shown;
    const clock = new Date(time).toLocaleString("sv", { timeZone: "Europe/Madrid" }).replace(" ", "T");
    const count = async (query: string) =>
      ((await (await get(`/api/events?component=dated&${query}`)).json()) as Page).events.length;
    const later = `${clock.slice(0, 10)}T23:59:59.999`;
    expect(await count(`from_date=${clock}&to_date=${later}`)).toBe(1);
    expect(await count(`to_date=${clock}`)).toBe(0);
    expect(await count(`from_date=${clock.slice(0, 10)}&to_date=${clock.slice(0, 10)}`)).toBe(1);
  });
});

it("without compatibility, /heath does not exist, and an event needs an email and an object", async () => {
  await using service = await startService(yaml(""), { TIDEGATE_ADMIN_TOKEN: admin });
  expect((await service.get("/heath")).status).toBe(404);
  for (const event of [
    { ...order, email: undefined },
    { ...order, data: [] },
    { ...order, data: undefined },
  ]) {
    expect((await send(service, JSON.stringify(event))).status).toBe(422);
  }
});
