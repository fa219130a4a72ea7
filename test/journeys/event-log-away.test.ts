import { afterAll, beforeAll, expect, it } from "vitest";
import { createDatabase, queryDatabase, type TestDatabase } from "../support/postgres.ts";
import { TestProcess } from "../support/process.ts";
import { bearer } from "../support/service.ts";
import { TcpProxy } from "../support/tcp-proxy.ts";
import { until } from "../support/until.ts";

const opened = new AsyncDisposableStack();
let database: TestDatabase;
let proxy: TcpProxy;
beforeAll(async () => {
  database = await createDatabase();
  proxy = opened.use(await TcpProxy.to(database.port));
});
afterAll(() => opened.disposeAsync());

it("the service starts and serves while the event log is unavailable, logs why, and fills the log once it is back", async () => {
  proxy.cut();
  const token = "a-credential-for-the-test";
  await using service = new TestProcess(["src/cli.ts", "serve"], {
    PORT: "0",
    DATABASE_URL: Object.assign(new URL(database.url), { port: proxy.port }).href,
    TIDEGATE_ADMIN_TOKEN: token,
  });
  const url = await service.url();
  expect((await fetch(`${url}/features`)).status).toBe(200);
  await until(() => service.stderr.includes("they wait in the outbox"), "the outage is logged");
  expect(service.stderr).toMatch(/"cause":"[^"]*(ECONNRESET|terminated)/);
  const events = () => fetch(`${url}/events`, { headers: bearer(token) });
  expect((await events()).status).toBe(503);
  proxy.heal();
  await until(() => service.stderr.includes("change records reach the event log again"), "the log is filled");
  const { status } = await events();
  expect(status).toBe(200);
  const { rows } = await queryDatabase(database.url, "SELECT count(*)::int AS events FROM events");
  expect(rows[0].events).toBeGreaterThan(0);
  expect(service.stdout + service.stderr).not.toContain("s3cret");
});
