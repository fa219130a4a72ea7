import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ManageCredentials } from "../../../../src/application/admin/manage-credentials.ts";
import { createLog } from "../../../../src/infrastructure/logger.ts";
import { connectRedis } from "../../../../src/infrastructure/redis/redis-connection.ts";
import { openSqlite } from "../../../../src/infrastructure/sqlite/sqlite-connection.ts";
import { credentialsOn } from "../../../support/credentials.ts";
import {
  admin,
  ask,
  embeddedLog,
  find,
  logBesideRedis,
  order,
  type Page,
  postEvent,
  type Shown,
  send,
} from "../../../support/event-calls.ts";
import { createDatabase } from "../../../support/postgres.ts";
import { type RedisServer, startRedis } from "../../../support/redis.ts";
import { bearer, startService, type TestService } from "../../../support/service.ts";
import { TcpProxy } from "../../../support/tcp-proxy.ts";
import { firstResult, until } from "../../../support/until.ts";

const silent = createLog("silent");

type Problem = { code: string; detail: string; errors: { pointer: string; detail: string }[] };
const problem = async (response: Response) => [response.status, (await response.json()) as Problem] as const;

describe.each(["SQLite", "PostgreSQL"])("a log in %s", (database) => {
  let stack: AsyncDisposableStack;
  let proxy: TcpProxy | undefined;
  let redis: RedisServer | undefined;
  let credentials: ManageCredentials;
  let folder: string;
  let service: TestService;
  /** The readiness once it shows this state of the log: a check that takes long returns the state before. */
  const readyWith = async (log: string | undefined) => {
    const ready = async () => (await service.get("/health/ready")).json() as Promise<{ log?: string }>;
    return firstResult(ready, (state) => state.log === log, `the log is shown as ${log ?? "answering"}`);
  };
  beforeAll(async () => {
    await using started = new AsyncDisposableStack();
    const env = { TIDEGATE_ADMIN_TOKEN: admin, FOLDER: mkdtempSync(join(tmpdir(), "tidegate-events-")) };
    folder = env.FOLDER;
    started.defer(() => rmSync(folder, { recursive: true }));
    let yaml = embeddedLog;
    if (database === "PostgreSQL") {
      const { url, port } = await createDatabase();
      proxy = started.use(await TcpProxy.to(port));
      redis = started.use(await startRedis());
      yaml = logBesideRedis(Object.assign(new URL(url), { port: proxy.port }).href, redis.url);
    }
    const store = started.use(
      redis ? connectRedis("users", redis.url, silent) : openSqlite("store", `${env.FOLDER}/store.db`),
    );
    await store.connected();
    credentials = credentialsOn(store.documents);
    service = started.use(await startService(yaml, env));
    expect(await service.readyWithin(20_000)).toBe(true);
    stack = started.move();
  });
  afterAll(() => stack.disposeAsync());

  describe("the contract of the replaced activity service", () => {
    it.each(["/events", "/events/"])("records an event at %s, and returns it with its id and time", async (path) => {
      const before = Date.now();
      const recorded = await postEvent(service, order, {}, path);
      expect(recorded).toEqual({
        ...order,
        id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f-]{17}$/),
        created_at: expect.stringMatching(/^\d{10}\.\d{3}$/),
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        recorded_by: "admin",
        position: expect.any(Number),
        hash: expect.stringMatching(/^[0-9a-f]{64}$/),
      });
      expect(Number(recorded.created_at) * 1_000).toBeGreaterThanOrEqual(before);
      expect(new Date(Number(recorded.created_at) * 1_000).toISOString()).toBe(recorded.time);
      const { events } = await find(service, `${path}?component=order&limit=1`);
      expect(events).toEqual([recorded]);
    });

    it("finds it by the query of its example", async () => {
      const recorded = await postEvent(service, order);
      const query = "email=ade%40gmail.com&environment=production&component=order&message=failed&from_date=04-16-2021";
      const { events } = await find(service, `/events/?${query}`);
      expect(events[0]).toEqual(recorded);
      expect((await find(service, `/events/?${query}&to_date=04-16-2021`)).events).toEqual([]);
    });
  });

  describe("events", () => {
    it("can be read by their position, too", async () => {
      const { id, position } = await postEvent(service, order);
      expect(await find(service, `/events/${position}`)).toMatchObject({ id, position });
      const { status } = await service.get("/events/999999999", bearer(admin));
      expect(status).toBe(404);
    });

    it("of credentials have a type of their own", async () => {
      await credentials.add("seasonal", "viewer", undefined, { by: "tester" });
      const isFound = async () => {
        const { events } = await find(service, "/events?type=credential");
        return events[0]?.message === "credentials: seasonal set";
      };
      await until(isFound, "the event is in the log");
      const documents = await find(service, "/events?type=document&limit=1000");
      expect(documents.events.filter(({ message }) => message.startsWith("credentials:"))).toEqual([]);
    });

    it("are verified part by part", async () => {
      for (let count = 0; count < 3; count++) await postEvent(service, order);
      const verify = async (query: string) => {
        const answer = await service.get(`/events/verify?${query}`, bearer(admin));
        expect(answer.status).toBe(200);
        return (await answer.json()) as { to: number; head: string; last: number };
      };
      const first = await verify("limit=2");
      expect(first).toMatchObject({ sound: true, from: 1, to: 2 });
      expect(first.last).toBeGreaterThan(2);
      const all = await verify(`after=2&hash=${first.head}`);
      expect(all).toMatchObject({ sound: true, from: 3, to: all.last });
      expect(await verify(`after=2&hash=${"0".repeat(64)}`)).toMatchObject({ sound: false, fault: { position: 3 } });
      for (const wrong of ["after=2", `hash=${first.head}`, "limit=10001", "after=2&hash=x"]) {
        expect((await service.get(`/events/verify?${wrong}`, bearer(admin))).status).toBe(400);
      }
    });

    it("match each filter, and all filters together", async () => {
      const notified = { ...order, component: "basket", environment: "staging", email: "eve@example.org" };
      const recorded = await postEvent(service, { ...notified, message: "100% of _all_ Äpfel gone\\" });
      const other = await postEvent(service, { ...notified, component: "till" });
      for (const query of [
        "component=basket",
        "environment=staging&component=basket",
        "email=eve%40example.org&component=basket",
        "message=100%25%20of&environment=staging",
        "message=_ALL_&environment=staging",
        "message=%5C&environment=staging",
        "recorded_by=admin&component=basket",
        `from_date=${encodeURIComponent(recorded.time)}&component=basket`,
      ]) {
        expect([query, (await find(service, `/events?${query}`)).events]).toEqual([query, [recorded]]);
      }
      for (const query of [
        "component=baske",
        "component=Basket",
        "component=%25",
        "message=%25%25",
        "message=a_l&environment=staging",
        "recorded_by=eve",
        "feature=basket",
        "key=basket",
        `to_date=${encodeURIComponent(recorded.time)}&component=basket`,
        "email=eve%40example.org%27%20OR%201%3D1%20--",
      ]) {
        expect([query, (await find(service, `/events?${query}`)).events]).toEqual([query, []]);
      }
      expect((await find(service, "/events?environment=staging")).events).toEqual([other, recorded]);
    });

    it("treat a date as the whole day", async () => {
      const { time } = await postEvent(service, { ...order, component: "clock" });
      const [, year, month, day] = /^(\d{4})-(\d\d)-(\d\d)/.exec(time) ?? [];
      const today = `${month}-${day}-${year}`;
      const count = async (query: string) => (await find(service, `/events?component=clock&${query}`)).events.length;
      expect(await count(`from_date=${today}&to_date=${today}`)).toBe(1);
      expect(await count(`to_date=${year}-${month}-${day}T00:00:00Z`)).toBe(0);
      expect(await count(`to_date=${encodeURIComponent(time.replace("Z", "+00:00"))}`)).toBe(0);
      expect(await count(`from_date=${time}`)).toBe(1);
    });

    it("are paged, each once, while more are recorded", async () => {
      const recorded: Shown[] = [];
      for (let count = 0; count < 7; count++) {
        recorded.unshift(await postEvent(service, { ...order, component: "pages", message: `${count}` }));
      }
      const seen: Shown[] = [];
      let path: string | undefined = "/events?component=pages&limit=3";
      const sizes: number[] = [];
      while (path) {
        const response = await ask(service, path);
        const { events, next } = (await response.json()) as Page;
        sizes.push(events.length);
        seen.push(...events);
        const [, link] = /^<(\/events\?[^>]+)>; rel="next"$/.exec(response.headers.get("link") ?? "") ?? [];
        expect(link?.endsWith(`&cursor=${next}`)).toBe(next === undefined ? undefined : true);
        path = link;
        await postEvent(service, { ...order, component: "pages", message: "later" });
      }
      expect([sizes, seen]).toEqual([[3, 3, 1], recorded]);
    });

    it("are the newest 100 by default", async () => {
      await Promise.all(Array.from({ length: 101 }, () => postEvent(service, { ...order, component: "many" })));
      const { events, next } = await find(service, "/events?component=many");
      expect([events.length, next === undefined]).toEqual([100, false]);
      expect(events.map(({ position }) => position)).toEqual(
        events.map(({ position }) => position).sort((a, b) => b - a),
      );
      expect((await find(service, "/events?component=many&limit=1000")).events).toHaveLength(101);
    });

    it.each(["PUT", "PATCH", "DELETE"])("cannot be changed or deleted: %s", async (method) => {
      for (const path of ["/events", "/events/", "/events/export", "/events/stream"]) {
        const response = await fetch(service.url + path, { method, headers: bearer(admin) });
        expect([path, response.status]).toEqual([path, 405]);
        expect(response.headers.get("allow")).toMatch(
          path.length > 8 ? "GET, HEAD, OPTIONS" : "GET, POST, HEAD, OPTIONS",
        );
      }
    });
  });

  describe("a change", () => {
    const change = (method: string, feature: string) =>
      fetch(`${service.url}/admin/v1/sources/global/features/${feature}`, { method, headers: bearer(admin) });

    it("is in the log once it is acknowledged, with actor, key and revision", async () => {
      for (const [count, method] of ["PUT", "DELETE", "PUT", "DELETE", "PUT"].entries()) {
        const answer = await change(method, "feature_1");
        expect([answer.status, await answer.text()]).toEqual([200, expect.any(String)]);
        // A page waits for changes for at most a second, and then it lacks them.
        const prompt = async () => {
          const askedAt = performance.now();
          const page = await find(service, "/events?feature=feature_1&limit=5");
          return { ...page, isPrompt: performance.now() - askedAt < 900 };
        };
        const { events } = await firstResult(prompt, ({ isPrompt }) => isPrompt, "the page has all changes");
        expect(events).toHaveLength(count + 1);
        expect(events[0]).toMatchObject({
          component: "features",
          recorded_by: "admin",
          message: `global_features: feature_1 ${method === "PUT" ? "added" : "removed"}`,
          key: "global_features",
          revision: expect.stringMatching(/^\S+\.\d+$/),
          store: expect.stringMatching(/^(store|features)$/),
        });
      }
      expect((await find(service, "/events?key=global_features&feature=feature_1")).events).toHaveLength(5);
    });

    it("is in the log even if it was made with redis-cli", async () => {
      if (!redis) return;
      await redis.client.sadd("global_features", "by_hand");
      const found = async () => (await find(service, "/events?feature=by_hand")).events;
      await until(async () => (await found()).length > 0, "it is recorded");
      const [event, ...others] = await found();
      expect(others).toEqual([]);
      expect(event).toMatchObject({ recorded_by: "external", key: "global_features", component: "features" });
      expect(event?.message).toContain("by_hand added");
    });
  });

  describe("a cursor", () => {
    it("is rejected with other filters", async () => {
      for (const message of ["1", "2", "3"]) await postEvent(service, { ...order, component: "cursor", message });
      const { next = "" } = await find(service, "/events?component=cursor&limit=1");
      expect((await find(service, `/events?component=cursor&limit=2&cursor=${next}`)).events).toHaveLength(2);
      const decoded = Buffer.from(next, "base64url").toString();
      const forged = decoded.replace(/\d$/, (digit) => `${(Number(digit) + 1) % 10}`);
      for (const query of [
        `cursor=${next}`,
        `component=other&cursor=${next}`,
        `component=cursor&message=1&cursor=${next}`,
        `component=cursor&cursor=${next.slice(0, -1)}`,
        `component=cursor&cursor=${next}=`,
        `component=cursor&cursor=${next}A`,
        `component=cursor&cursor=${encodeURIComponent(decoded)}`,
        `component=cursor&cursor=${Buffer.from(forged).toString("base64url")}`,
        `component=cursor&cursor=${encodeURIComponent("' OR 1=1")}`,
        "component=cursor&cursor=0",
        "component=cursor&cursor=NaN",
      ]) {
        const [status, { code }] = await problem(await ask(service, `/events?${query}`));
        expect([query, status, code]).toEqual([query, 400, "invalid-cursor"]);
      }
    });
  });

  describe("an Idempotency-Key", () => {
    const component = "once";

    it("records an event once, even if it is sent concurrently", async () => {
      const headers = { "idempotency-key": "5f0c-1" };
      const answers = await Promise.all(
        Array.from({ length: 8 }, () => postEvent(service, { ...order, component }, headers)),
      );
      for (const answer of answers) expect(answer).toEqual(answers[0]);
      const { message, ...rest } = order;
      const reordered = { message, ...rest, component, data: { age: 20.0 } };
      expect(await postEvent(service, reordered, headers)).toEqual(answers[0]);
      expect((await find(service, `/events?component=${component}`)).events).toEqual([answers[0]]);
    });

    it("is rejected for another event", async () => {
      const headers = { "idempotency-key": "5f0c-2" };
      const first = { ...order, component: "once more", data: { list: [1, 2], empty: {} } };
      await postEvent(service, first, headers);
      for (const other of [
        { ...first, message: "order placed" },
        { ...first, email: "eve@example.org" },
        { ...first, environment: "staging" },
        { ...first, component: "twice" },
        { ...first, data: { list: [2, 1], empty: {} } },
        { ...first, data: { list: [1, 2], empty: [] } },
        { ...first, data: { list: [1, 2] } },
        { ...first, data: { list: { 0: 1, 1: 2 }, empty: {} } },
      ]) {
        const [status, { code }] = await problem(await send(service, JSON.stringify(other), headers));
        expect([status, code]).toEqual([422, "idempotency-key-reused"]);
      }
      expect((await find(service, "/events?component=once%20more")).events).toHaveLength(1);
    });

    it("belongs to a credential: another one can use the same key", async () => {
      const secret = await credentials.add("till", "editor", undefined, { by: "tester" });
      const headers = { "idempotency-key": "5f0c-3" };
      const first = await postEvent(service, { ...order, component: "shared" }, headers);
      const other = await postEvent(
        service,
        { ...order, component: "shared", message: "?" },
        { ...headers, ...bearer(secret) },
      );
      expect([first.recorded_by, other.recorded_by]).toEqual(["admin", "till"]);
      expect(other.id).not.toBe(first.id);
      expect((await find(service, "/events?recorded_by=till")).events).toEqual([other]);
    });

    it.each([
      ["empty", ""],
      ["with a space", "a b"],
      ["longer than 255", "x".repeat(256)],
      ["with another alphabet", "\u00e9"],
      ["two", "a, b"],
    ])("is rejected: %s", async (_, key) => {
      const [status, { code, detail }] = await problem(
        await send(service, JSON.stringify(order), { "idempotency-key": key }),
      );
      expect([status, code, detail]).toEqual([400, "invalid-header", expect.stringContaining("1 to 255")]);
    });
  });

  if (database === "SQLite") {
    it("is shown as failing by /health/ready while it cannot be written, although it can be read", async () => {
      using file = new DatabaseSync(join(folder, "events.db"), { timeout: 10_000 });
      file.exec("DROP TRIGGER IF EXISTS full");
      file.exec("CREATE TRIGGER full BEFORE UPDATE ON chain BEGIN SELECT RAISE(ABORT, 'disk full'); END");
      expect((await send(service, JSON.stringify(order))).status).toBe(503);
      expect((await ask(service, "/events")).status).toBe(200);
      expect(await readyWith("failing")).toEqual({ status: "ready", log: "failing" });
      file.exec("DROP TRIGGER full");
      expect(await readyWith(undefined)).toEqual({ status: "ready" });
    });
  }

  if (database === "PostgreSQL") {
    it("returns 503 with Retry-After while unavailable, and acknowledges no lost event", async () => {
      proxy?.cut();
      for (const answer of [
        await ask(service, "/events"),
        await ask(service, "/events/export"),
        await ask(service, "/events/stream"),
        await send(service, JSON.stringify(order)),
      ]) {
        expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "1"]);
        expect(await answer.json()).toMatchObject({ code: "log-unavailable" });
      }
      expect((await service.get("/features")).status).toBe(200);
      expect(await readyWith("failing")).toEqual({ status: "ready", log: "failing" });
    });
  }
});
