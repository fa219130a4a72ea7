import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { expect, it } from "vitest";
import { warmUp } from "../../../../src/adapters/http/client/warm-up.ts";
import { startService } from "../../../support/service.ts";

it("sends hundreds of requests before the server listens", async () => {
  const asked: (string | undefined)[] = [];
  const server = createServer(({ url }, response) => {
    asked.push(url);
    response.end("{}");
  });
  await warmUp(server);
  expect(asked.length).toBeGreaterThan(50);
  expect(new Set(asked)).toEqual(new Set(["/features"]));
  expect(server.listening).toBe(false);
});

it("stops waiting for a server without responses", async () => {
  await warmUp(createServer(() => {}));
});

it("is not counted, even if it waits for a store that does not respond", async () => {
  await using opened = new AsyncDisposableStack();
  const silent = createTcpServer(() => {}).listen(0, "127.0.0.1");
  opened.defer(() => void silent.close());
  await once(silent, "listening");
  const rules = `
connections: { features: { kind: redis, url: "redis://127.0.0.1:${(silent.address() as AddressInfo).port}" } }
sources: [{ name: a, kind: set, connection: features, key: a }]
`;
  const token = "a-token-for-the-warm-up";
  const service = opened.use(await startService(rules, { TIDEGATE_ADMIN_TOKEN: token }, { isWarm: true }));
  // It fails later than all requests of the warm-up.
  expect((await service.get("/features")).status).toBe(503);
  const text = await (await service.get("/metrics", { authorization: `Bearer ${token}` })).text();
  expect(text).toContain('tidegate_http_requests_total{route="/features",method="GET",status="503"} 1\n');
});

it("is not counted", async () => {
  const token = "a-token-for-the-warm-up";
  const rules = "sources: [{ name: a, kind: static, features: { x: true } }]";
  await using service = await startService(rules, { TIDEGATE_ADMIN_TOKEN: token }, { isWarm: true });
  const text = await (await service.get("/metrics", { authorization: `Bearer ${token}` })).text();
  expect(text).toContain('tidegate_evaluations_total{result="cached"} 0');
  expect(text).not.toContain('route="/features"');
});
