import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startOperator } from "../support/operator.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { inRedis, kindsEnv, switchesRules } from "../support/switches.ts";
import { TcpProxy } from "../support/tcp-proxy.ts";
import { until } from "../support/until.ts";

describe("rules during a Redis outage", () => {
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

  const start = (port = proxy.port) =>
    startOperator(switchesRules(inRedis(`redis://127.0.0.1:${port}`)), { ...kindsEnv, FOLDER: folder });

  it("have their changes even if the process was blocked while it read them", async () => {
    // The proxy in this process would be blocked too.
    await using operator = await start(redis.port);
    const isLateWhileBlocked = async (on: boolean) => {
      const call = operator.service.get("/features");
      let isAnswered = false;
      void call.finally(() => (isAnswered = true));
      while (!isAnswered) {
        block(220);
        await setImmediate();
      }
      const response = await call;
      if (response.status === 503 || response.headers.has("cache-status")) return true;
      expect((await response.text()).includes("blocked")).toBe(on);
      return false;
    };
    for (const on of [true, false]) {
      await operator.put("/sources/switches/rules/blocked", {}, { on });
      // Redis may be delayed too, and not reply in time.
      const late = [await isLateWhileBlocked(on), await isLateWhileBlocked(on), await isLateWhileBlocked(on)];
      expect(late).toContain(false);
    }
    await operator.delete("/sources/switches/rules/blocked");
  });

  it("are served with their last known values, marked as stale, even by a process that starts then", async () => {
    {
      await using operator = await start();
      await operator.put("/sources/switches/rules/a", {}, { on: true });
      await operator.put("/sources/switches/rules/b", {}, { on: false });
      expect(await operator.current()).toEqual(["a", "always"]);
      proxy.cut();
      const isMarked = async () => (await operator.service.get("/features")).headers.has("cache-status");
      await until(isMarked, "answers are marked");
      expect(await operator.features()).toEqual(["a", "always"]);
      const refused = await operator.put("/sources/switches/rules/b", {}, { on: true });
      expect(refused.body.code).toBe("source-unavailable");
    }
    await using operator = await start();
    expect(await operator.features()).toEqual(["a", "always"]);
    expect((await operator.service.get("/features")).headers.get("cache-status")).toContain("tidegate");
    proxy.heal();
    const put = async () => (await operator.put("/sources/switches/rules/b", {}, { on: true })).status === 200;
    await until(put, "rules can be put again");
    expect(await operator.current()).toEqual(["a", "always", "b"]);
  });
});

/** Blocks the event loop. */
function block(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}
