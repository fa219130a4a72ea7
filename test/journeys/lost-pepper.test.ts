import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { adminToken } from "../support/operator.ts";
import { startRedis } from "../support/redis.ts";
import { answerInTime, basic, startService, type TestService } from "../support/service.ts";
import { tidegate } from "../support/tidegate.ts";
import { until } from "../support/until.ts";

describe.each([
  ["SQLite", async () => undefined],
  ["Redis", startRedis],
])("a lost pepper of tokens in %s", (_, openRedis) => {
  let redis: Awaited<ReturnType<typeof startRedis>> | undefined;
  let folder: string;
  let configuration: string;
  let pepper: string;
  beforeEach(async () => {
    redis = await openRedis();
    await redis?.client.flushall();
    folder = mkdtempSync(join(tmpdir(), "tidegate-pepper-"));
    configuration = join(folder, "config.yaml");
    pepper = join(folder, "token-pepper");
    const store = redis
      ? `{ kind: redis, url: "${redis.url}" }`
      : `{ kind: sqlite, file: "${join(folder, "store.db")}" }`;
    writeFileSync(
      configuration,
      `
connections: { users: ${store} }
tokens: { connection: users, layout: hashed, pepperFile: "${pepper}" }
sources: [{ name: always, kind: static, features: { on: true } }]
`,
    );
    expect((await run(["tokens", "add", "--user", "1"], "token-of-1")).code).toBe(0);
  });
  afterEach(async () => {
    await redis?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  const env = () => ({ TIDEGATE_DATA: join(folder, "data"), TIDEGATE_ADMIN_TOKEN: adminToken });
  const run = (args: readonly string[], input = "") => tidegate(["--config", configuration, ...args], env(), input);
  const start = () => startService(readFileSync(configuration, "utf8"), env());
  const statusOf = async (service: TestService, token: string) => (await service.get("/features", basic(token))).status;
  const currentStatusOf = async (service: TestService, token: string) =>
    (await answerInTime(service, "/features", basic(token))).status;
  const isReady = async (service: TestService) => (await service.get("/health/ready")).status === 200;

  it("is an outage of the tokens until it is restored, or the store is accepted", async () => {
    const original = readFileSync(pepper);
    {
      await using service = await start();
      await until(() => isReady(service), "it is ready");
      expect([await currentStatusOf(service, "token-of-1"), await currentStatusOf(service, "other")]).toEqual([
        200, 401,
      ]);
    }
    rmSync(pepper);
    {
      await using service = await start();
      expect(await service.readyWithin(500)).toBe(false);
      expect([await statusOf(service, "token-of-1"), await statusOf(service, "other")]).toEqual([503, 503]);
      expect((await service.get("/features")).status).toBe(200);
      for (const command of [["add", "--user", "2"], ["remove"]]) {
        const { code, stderr } = await run(["tokens", ...command], "token-of-2");
        expect(code).toBe(1);
        expect(stderr).toContain(`another pepper; restore ${pepper}, or run npx tidegate stores accept users`);
      }
      expect((await run(["export"])).code).toBe(1);
    }
    writeFileSync(pepper, original);
    {
      await using service = await start();
      await until(() => isReady(service), "it is ready with the restored pepper");
      expect(await currentStatusOf(service, "token-of-1")).toBe(200);
    }
    rmSync(pepper);
    {
      await using service = await start();
      expect(await statusOf(service, "token-of-1")).toBe(503);
      expect((await run(["stores", "accept", "users"])).stdout).toBe("users: accepted\n");
      await until(() => isReady(service), "it is ready with the new pepper");
      await until(async () => (await statusOf(service, "token-of-1")) === 401, "the old token is unknown");
      expect((await run(["tokens", "add", "--user", "2"], "token-of-2")).code).toBe(0);
      await until(async () => (await statusOf(service, "token-of-2")) === 200, "the new token is known");
    }
  });
});
