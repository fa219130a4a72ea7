import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { RecentTraffic } from "../../../src/application/system/recent-traffic.ts";
import { loadConfig } from "../../../src/bootstrap/config/config.ts";
import { createRuntime } from "../../../src/bootstrap/runtime/runtime.ts";
import { InstanceChannel } from "../../../src/infrastructure/invalidation/instance-channel.ts";
import { createLog } from "../../../src/infrastructure/logger.ts";
import { InstanceMetrics } from "../../../src/infrastructure/metrics/instance-metrics.ts";
import { WorkerReports } from "../../../src/infrastructure/workers/worker-reports.ts";
import { startRedis } from "../../support/redis.ts";
import { tidegate } from "../../support/tidegate.ts";
import { until } from "../../support/until.ts";

const folder = mkdtempSync(join(tmpdir(), "tidegate-closed-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** The log lines about the admin API. They appear when the service is ready, or shortly after. */
async function logged(env: NodeJS.ProcessEnv, isAwaited: boolean): Promise<readonly string[]> {
  const lines: string[] = [];
  const log = createLog("info", { write: (line) => void lines.push(line) });
  const stopping = new AbortController().signal;
  const host = {
    ...{ env, log, stopping },
    metrics: new InstanceMetrics(),
    instance: new InstanceChannel(),
    reports: new WorkerReports<never>("system"),
    readiness: new WorkerReports<never>("readiness"),
    traffic: new RecentTraffic(Date.now),
    reloadConfig: async () => ({ problems: [] }),
  };
  await using _ = await createRuntime(await loadConfig("config/tidegate.yaml", env), host);
  const found = () => lines.filter((line) => line.includes("admin API"));
  if (isAwaited) await until(() => found().length > 0, "it is logged");
  return found();
}

it("logs at the start on Redis that the admin API is closed, with the fix, unless an operator has a credential", async () => {
  await using redis = await startRedis();
  const env = { REDIS_USERS_URL: redis.url, REDIS_FEATURES_URL: redis.url, TIDEGATE_DATA: folder };
  expect(await logged(env, true)).toEqual([
    expect.stringMatching(/admin API closed.*set TIDEGATE_ADMIN_TOKEN and restart, or run: tidegate credentials add/),
  ]);
  expect(await logged({ ...env, TIDEGATE_ADMIN_TOKEN: "the-operators-credential" }, false)).toEqual([]);
  expect((await tidegate(["credentials", "add", "anna", "--scope", "admin"], env)).code).toBe(0);
  expect(await logged(env, false)).toEqual([]);
});
