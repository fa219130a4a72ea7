import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backoffice } from "./support/operator.ts";
import { type RedisServer, startRedis } from "./support/redis.ts";
import { inRedis, kindsEnv, switchesRules } from "./support/switches.ts";
import { TcpProxy } from "./support/tcp-proxy.ts";
import { until } from "./support/until.ts";

describe("settings while Redis is away", () => {
  let folder: string;
  let redis: RedisServer;
  let proxy: TcpProxy;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "tidegate-away-"));
    redis = await startRedis();
    proxy = await TcpProxy.to(redis.port);
  });
  afterAll(async () => {
    await proxy[Symbol.asyncDispose]();
    await redis[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  const start = () =>
    backoffice(switchesRules(inRedis(`redis://127.0.0.1:${proxy.port}`)), { ...kindsEnv, FOLDER: folder });

  it("are served as they were last known, marked, also by a process that starts then", async () => {
    {
      await using operator = await start();
      await operator.put("/sources/switches/settings/a", {}, { on: true });
      await operator.put("/sources/switches/settings/b", {}, { on: false });
      expect(await operator.features()).toEqual(["a", "always"]);
      proxy.cut();
      const isMarked = async () => (await operator.service.get("/features")).headers.has("cache-status");
      await until(isMarked, "answers are marked");
      expect(await operator.features()).toEqual(["a", "always"]);
      const refused = await operator.put("/sources/switches/settings/b", {}, { on: true });
      expect(refused.body.code).toBe("source-unavailable");
    }
    await using operator = await start();
    expect(await operator.features()).toEqual(["a", "always"]);
    expect((await operator.service.get("/features")).headers.get("cache-status")).toContain("tidegate");
    proxy.heal();
    const put = async () => (await operator.put("/sources/switches/settings/b", {}, { on: true })).status === 200;
    await until(put, "settings can be put again");
    expect(await operator.features()).toEqual(["a", "always", "b"]);
  });
});
