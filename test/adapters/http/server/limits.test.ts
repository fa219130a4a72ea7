import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadConfig } from "../../../../src/bootstrap/config/config.ts";
import { bearer, startService, type TestService } from "../../../support/service.ts";
import { StreamReader } from "../../../support/stream-reader.ts";
import { until } from "../../../support/until.ts";

const admin = "the-operators-credential";
const rules = `
connections: { features: { kind: sqlite, file: ":memory:" } }
sources:
  - { name: global, kind: set, connection: features, key: global_features }
  - { name: killed, kind: set, connection: features, key: "tidegate:killed", role: veto }
`;
const server = (limits: string) => `server: { basePath: /api, limits: ${limits} }\n${rules}`;

const kill = (service: TestService) =>
  fetch(`${service.url}/admin/v1/killed/feature_1`, { method: "PUT", headers: bearer(admin) });
const status = async (answer: Response | Promise<Response>): Promise<number> => {
  const { status, body } = await answer;
  await body?.cancel();
  return status;
};
const accepted = (service: TestService) =>
  until(async () => (await status(service.get("/features"))) === 200, "a request is accepted again");

async function expectExempt(service: TestService): Promise<void> {
  for (const path of ["/health", "/health/live", "/health/ready"]) expect(await status(service.get(path))).toBe(200);
  expect(await status(kill(service))).toBe(200);
  expect(await status(service.get("/admin/v1/killed", bearer(admin)))).toBe(200);
}

async function expectOverloaded(service: TestService, limit: string): Promise<void> {
  const answer = await service.get("/features", { "x-request-id": "mine" });
  expect(answer.status).toBe(503);
  expect(answer.headers.get("retry-after")).toBe("1");
  expect(answer.headers.get("connection")).toBe("close");
  const { code, detail, requestId } = (await answer.json()) as Record<string, string>;
  expect({ code, requestId }).toEqual({ code: "overloaded", requestId: "mine" });
  expect(detail).toContain(`server.limits.${limit}`);
}

describe("a limit on requests in flight", () => {
  let service: TestService;
  beforeAll(async () => {
    service = await startService(server("{ inFlight: 1 }"), { TIDEGATE_ADMIN_TOKEN: admin });
  });
  afterAll(() => service[Symbol.asyncDispose]());

  it("rejects the next request with Retry-After, except for health checks and kills", async () => {
    const stream = await StreamReader.open(`${service.url}/events/stream`, bearer(admin));
    await expectOverloaded(service, "inFlight");
    expect(await status(service.get("/admin/v1/features", bearer(admin)))).toBe(503);
    await expectExempt(service);
    await stream[Symbol.asyncDispose]();
    await accepted(service);
  });

  it("counts rejected requests", async () => {
    const figures = await (await service.get("/metrics", bearer(admin))).text();
    expect(figures).toMatch(/tidegate_http_requests_total\{[^}]*status="503"[^}]*\} \d/);
  });
});

it("a limit on requests in flight leaves a tenth to clients without features, and does not count their streams", async () => {
  await using service = await startService(server("{ inFlight: 10 }"), { TIDEGATE_ADMIN_TOKEN: admin });
  await using opened = new AsyncDisposableStack();
  for (const path of ["/features/stream", ...Array.from({ length: 9 }, () => "/events/stream")]) {
    const stream = opened.use(
      await StreamReader.open(service.url + path, path === "/events/stream" ? bearer(admin) : {}),
    );
    expect([path, stream.response.status]).toEqual([path, 200]);
  }
  const again = (path: string) => service.get(path, { "if-none-match": '"x"' });
  expect(await status(again("/features"))).toBe(503);
  expect(await status(service.get("/features"))).toBe(200);
  opened.use(await StreamReader.open(`${service.url}/events/stream`, bearer(admin)));
  expect(await status(service.get("/features"))).toBe(503);
  await using stream = await StreamReader.open(`${service.url}/features/stream`);
  expect(stream.response.status).toBe(200);
});

it("a connection that breaks releases the requests that wait on it", async () => {
  await using service = await startService(server("{ inFlight: 3 }"), { TIDEGATE_ADMIN_TOKEN: admin });
  const { hostname, port } = new URL(service.url);
  const call = (path: string) =>
    `GET /api${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${admin}\r\n\r\n`;
  // The stream has no end, so the responses behind it wait.
  for (let round = 0; round < 3; round++) {
    const socket = connect(Number(port), hostname, () => {
      socket.write(call("/events/stream") + call("/features") + call("/features"));
    });
    await once(socket, "data");
    await until(async () => (await status(service.get("/features"))) === 503, "all slots are taken");
    socket.destroy();
    await accepted(service);
  }
});

describe("a limit on connections", () => {
  it("rejects requests on the next connection, except for health checks and kills, until one closes", async () => {
    await using service = await startService(server("{ connections: 1 }"), { TIDEGATE_ADMIN_TOKEN: admin });
    const { hostname, port } = new URL(service.url);
    const idle = connect(Number(port), hostname);
    await once(idle, "connect");
    await until(async () => (await status(service.get("/features"))) === 503, "the idle connection has the slot");
    await expectOverloaded(service, "connections");
    await expectExempt(service);
    idle.destroy();
    await accepted(service);
  });

  it("is not used up by clients that send nothing and never close", async () => {
    await using service = await startService(server("{ connections: 1 }"), { TIDEGATE_ADMIN_TOKEN: admin });
    const { hostname, port } = new URL(service.url);
    const idle = connect({ port: Number(port), host: hostname, allowHalfOpen: true });
    expect(String((await once(idle, "data"))[0])).toMatch(/^HTTP\/1\.1 408 /);
    await accepted(service);
    idle.destroy();
  });
});

it("limits follow a reload of the configuration", async () => {
  const folder = mkdtempSync(join(tmpdir(), "tidegate-limits-"));
  const file = join(folder, "tidegate.yaml");
  const config = (limits: string) => {
    writeFileSync(file, server(limits));
    return loadConfig(file, { TIDEGATE_DATA: folder });
  };
  await using service = await startService(server("{ inFlight: 1 }"), { TIDEGATE_ADMIN_TOKEN: admin });
  await using _ = await StreamReader.open(`${service.url}/events/stream`, bearer(admin));
  await expectOverloaded(service, "inFlight");
  await service.use(await config("{ inFlight: 2 }"));
  expect(await status(service.get("/features"))).toBe(200);
  rmSync(folder, { recursive: true });
});
