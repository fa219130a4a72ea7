import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, it } from "vitest";
import { order } from "../../support/event-calls.ts";
import { TestProcess } from "../../support/process.ts";
import { bearer } from "../../support/service.ts";
import { until } from "../../support/until.ts";

it("several workers serve as one does: dead ones are replaced, their counters are summed, and all are stopped", async () => {
  const admin = "the-operators-credential";
  await using service = new TestProcess(["src/main.ts"], {
    TIDEGATE_ADMIN_TOKEN: admin,
    PORT: "0",
    WEB_CONCURRENCY: "2",
  });
  const url = await service.url();
  const workers = () => [...service.stderr.matchAll(/"pid":(\d+).*"msg":"started"/g)].map(([, pid]) => Number(pid));
  expect(new Set(workers()).size).toBe(2);
  // One connection per request, so that the workers take turns. A request to a hanging worker is aborted.
  const get = (path: string) =>
    fetch(url + path, {
      headers: { ...bearer(admin), connection: "close" },
      signal: AbortSignal.timeout(5_000),
    }).then((answer) => answer.text());
  const figures = async () => {
    const text = await get("/metrics").catch(() => get("/metrics"));
    const figure = (line: RegExp) => Number(line.exec(text)?.[1]);
    return [
      figure(/tidegate_workers (\d+)/),
      figure(/tidegate_http_requests_total\{route="\/health",method="GET",status="200"\} (\d+)/),
    ];
  };
  for (let count = 0; count < 20; count++) await get("/health");
  await until(async () => (await figures())[1] === 20, "all calls are counted");
  const views = await Promise.all(Array.from({ length: 6 }, () => get("/admin/v1/cache?key=global_features")));
  expect(new Set(views.map((view) => JSON.parse(view).pid))).toEqual(new Set(workers()));
  expect(await figures()).toEqual([2, 20]);
  const system = async () => JSON.parse(await get("/admin/v1/system").catch(() => get("/admin/v1/system")));
  const { workers: reported, workersMissing, traffic } = await system();
  expect(new Set(reported.map(({ pid }: { pid: number }) => pid))).toEqual(new Set(workers()));
  expect([workersMissing, traffic.requestsPerSecond > 0]).toEqual([0, true]);

  const [victim = 0, other = 0] = workers();
  process.kill(victim, "SIGKILL");
  await until(() => workers().length === 3, "another worker has started");
  await until(async () => (await figures())[0] === 2, "its log line appears");
  expect(await figures()).toEqual([2, 20]);
  await get("/health");
  await until(async () => (await figures())[1] === 21, "the call after that is counted");

  process.kill(other, "SIGSTOP");
  expect(await figures()).toEqual([1, 21]);
  expect(await system()).toMatchObject({ workers: [expect.anything()], workersMissing: 1 });
  process.kill(other, "SIGCONT");
  await until(async () => (await figures())[0] === 2, "its log line appears again");
  expect(await figures()).toEqual([2, 21]);

  expect(await (await fetch(`${url}/features`)).text()).toBe('{"active_features":[]}');
  service.signalGroup("SIGTERM");
  expect(await service.exit()).toBe(0);
  expect(service.stderr.match(/"msg":"stopped"/g)).toHaveLength(2);
  for (const pid of workers()) expect(() => process.kill(pid, 0)).toThrow();
});

it("every worker reports on /health/ready that the event log of one of them cannot be written", async () => {
  const folder = mkdtempSync(join(tmpdir(), "tidegate-log-"));
  const admin = "the-operators-credential";
  const env = { TIDEGATE_ADMIN_TOKEN: admin, TIDEGATE_DATA: folder, PORT: "0", WEB_CONCURRENCY: "3" };
  await using service = new TestProcess(["src/main.ts"], env);
  const url = await service.url();
  const call = (path: string, init: RequestInit = {}) =>
    fetch(url + path, { ...init, headers: { ...bearer(admin), connection: "close", ...init.headers } });
  const states = async (headers: Record<string, string> = { authorization: "" }) => {
    const bodies = await Promise.all(Array.from({ length: 9 }, () => call("/health/ready", { headers })));
    return Promise.all(bodies.map((response) => response.json() as Promise<{ log?: string }>));
  };
  const post = (body: unknown) =>
    call("/events", {
      method: "POST",
      body: JSON.stringify(body),
      headers: { "content-type": "application/json" },
    });
  expect((await post(order)).status).toBe(201);
  using file = new DatabaseSync(join(folder, "events.db"), { timeout: 10_000 });
  file.exec("CREATE TRIGGER full BEFORE UPDATE ON chain BEGIN SELECT RAISE(ABORT, 'disk full'); END");
  expect((await post(order)).status).toBe(503);
  for (const state of await states()) expect(state).toEqual({ status: "ready", log: "failing" });
  for (const state of await states({})) expect(state).toMatchObject({ log: "failing", records: { log: "failing" } });
  file.exec("DROP TRIGGER full");
  const isWritten = async () => (await states()).every(({ log }) => log === undefined);
  await until(isWritten, "every worker reports that it can be written");
  service.signalGroup("SIGTERM");
  expect(await service.exit()).toBe(0);
  rmSync(folder, { recursive: true });
});
