import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
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

/** A source that takes longer than the warm-up, which the limit of the service allows. */
const slowSource = `
export const source = {
  summary: "Takes 220 ms.",
  options: ({ z }) => z.strictObject({}),
  example: {},
  create: () => ({
    resolve: () => new Promise((resolve) => setTimeout(resolve, 220, { features: new Map() })),
  }),
};
`;

it("is not counted, even if its requests wait for a source", async () => {
  const folder = mkdtempSync(join(tmpdir(), "tidegate-warm-up-"));
  writeFileSync(join(folder, "slow.mjs"), slowSource);
  const token = "a-token-for-the-warm-up";
  const env = { TIDEGATE_ADMIN_TOKEN: token, TIDEGATE_SOURCE_FOLDERS: folder };
  const rules = `sources: [{ name: a, kind: "../${basename(folder)}/slow.mjs", timeoutMs: 5000 }]`;
  await using service = await startService(rules, env, { isWarm: true });
  rmSync(folder, { recursive: true });
  // It ends later than all requests of the warm-up.
  expect((await service.get("/features")).status).toBe(200);
  const text = await (await service.get("/metrics", { authorization: `Bearer ${token}` })).text();
  expect(text).toContain('tidegate_http_requests_total{route="/features",method="GET",status="200"} 1\n');
});

it("is not counted", async () => {
  const token = "a-token-for-the-warm-up";
  const rules = "sources: [{ name: a, kind: static, features: { x: true } }]";
  await using service = await startService(rules, { TIDEGATE_ADMIN_TOKEN: token }, { isWarm: true });
  const text = await (await service.get("/metrics", { authorization: `Bearer ${token}` })).text();
  expect(text).toContain('tidegate_evaluations_total{result="cached"} 0');
  expect(text).not.toContain('route="/features"');
});
