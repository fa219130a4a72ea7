import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { order } from "../../support/event-calls.ts";
import { TestProcess } from "../../support/process.ts";
import { bearer } from "../../support/service.ts";
import { firstResult, until } from "../../support/until.ts";

const admin = "the-operators-credential";

/** Whether a process runs. */
function runs(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe("several workers", () => {
  const folder = mkdtempSync(join(tmpdir(), "tidegate-workers-"));
  let service: TestProcess;
  let url: string;
  beforeAll(async () => {
    const env = { TIDEGATE_ADMIN_TOKEN: admin, TIDEGATE_DATA: folder, PORT: "0", WEB_CONCURRENCY: "2" };
    service = new TestProcess(["src/main.ts"], env);
    url = await service.url();
  });
  afterAll(async () => {
    await service[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  const started = () => [...service.stderr.matchAll(/"pid":(\d+).*"msg":"started"/g)].map(([, pid]) => Number(pid));
  const workers = () => started().filter(runs);
  // One connection per request, so that the workers take turns. A request to a hanging worker is aborted.
  const call = (path: string, init: RequestInit = {}) =>
    fetch(url + path, {
      signal: AbortSignal.timeout(5_000),
      ...init,
      headers: { ...bearer(admin), connection: "close", ...init.headers },
    });
  const get = async (path: string) => (await call(path)).text();
  const figures = async () => {
    const text = await get("/metrics").catch(() => get("/metrics"));
    const figure = (line: RegExp) => Number(line.exec(text)?.[1] ?? 0);
    return [
      figure(/tidegate_workers (\d+)/),
      figure(/tidegate_http_requests_total\{route="\/health",method="GET",status="200"\} (\d+)/),
    ] as const;
  };
  // On a busy machine, the report of a worker may come too late.
  const areFigures = async (...expected: readonly [number, number]) =>
    until(async () => `${await figures()}` === `${expected}`, `the figures are ${expected}`);
  const system = async () => JSON.parse(await get("/admin/v1/system").catch(() => get("/admin/v1/system")));

  it("serve as one does: their counters are summed, and dead ones are replaced", async () => {
    expect(new Set(workers()).size).toBe(2);
    const [, counted] = await figures();
    for (let count = 0; count < 20; count++) await get("/health");
    await areFigures(2, counted + 20);
    const views = await Promise.all(Array.from({ length: 6 }, () => get("/admin/v1/cache?key=global_features")));
    expect(new Set(views.map((view) => JSON.parse(view).pid))).toEqual(new Set(workers()));
    let state = await system();
    await until(async () => {
      state = await system();
      return state.workersMissing === 0;
    }, "both workers report");
    expect(new Set(state.workers.map(({ pid }: { pid: number }) => pid))).toEqual(new Set(workers()));
    expect(state.traffic.requestsPerSecond).toBeGreaterThan(0);

    const [victim = 0, other = 0] = workers();
    const { length } = started();
    process.kill(victim, "SIGKILL");
    await until(() => started().length === length + 1, "another worker has started");
    await areFigures(2, counted + 20);
    await get("/health");
    await areFigures(2, counted + 21);

    process.kill(other, "SIGSTOP");
    await areFigures(1, counted + 21);
    expect(await system()).toMatchObject({ workers: [expect.anything()], workersMissing: 1 });
    process.kill(other, "SIGCONT");
    await areFigures(2, counted + 21);
    expect(await (await fetch(`${url}/features`)).text()).toBe('{"active_features":[]}');
  });

  it("report on /health/ready that the event log of one of them cannot be written", async () => {
    const states = async (headers: Record<string, string> = { authorization: "" }) => {
      const bodies = await Promise.all(Array.from({ length: 9 }, () => call("/health/ready", { headers })));
      return Promise.all(bodies.map((response) => response.json() as Promise<{ log?: string }>));
    };
    const statesWith = (log: string | undefined, headers?: Record<string, string>) =>
      firstResult(
        () => states(headers),
        (all) => all.every((state) => state.log === log),
        `every worker reports the log as ${log ?? "answering"}`,
      );
    const post = (body: unknown) =>
      call("/events", {
        method: "POST",
        body: JSON.stringify(body),
        headers: { "content-type": "application/json" },
      });
    expect((await post(order)).status).toBe(201);
    using file = new DatabaseSync(join(folder, "events.db"), { timeout: 10_000 });
    file.exec("DROP TRIGGER IF EXISTS full");
    file.exec("CREATE TRIGGER full BEFORE UPDATE ON chain BEGIN SELECT RAISE(ABORT, 'disk full'); END");
    expect((await post(order)).status).toBe(503);
    for (const state of await statesWith("failing")) expect(state).toEqual({ status: "ready", log: "failing" });
    for (const state of await statesWith("failing", {})) {
      expect(state).toMatchObject({ log: "failing", records: { log: "failing" } });
    }
    file.exec("DROP TRIGGER full");
    for (const state of await statesWith(undefined)) expect(state).toEqual({ status: "ready" });
  });

  it("are all stopped in order", async () => {
    service.signalGroup("SIGTERM");
    expect(await service.exit()).toBe(0);
    expect(service.stderr.match(/"msg":"stopped"/g)).toHaveLength(2);
    expect(workers()).toEqual([]);
  });
});
