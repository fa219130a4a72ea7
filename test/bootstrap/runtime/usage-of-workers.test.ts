import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { openEventLog } from "../../../src/infrastructure/event-log/open-event-log.ts";
import { TestProcess } from "../../support/process.ts";

it("all workers write their counts when the service stops", async () => {
  const folder = mkdtempSync(join(tmpdir(), "tidegate-usage-"));
  const file = join(folder, "tidegate.yaml");
  writeFileSync(file, "sources: [{ name: a, kind: static, features: { menu: true } }]");
  const env = { TIDEGATE_CONFIG: file, TIDEGATE_DATA: folder, PORT: "0", HOST: "127.0.0.1", WEB_CONCURRENCY: "2" };
  await using service = new TestProcess(["src/main.ts"], env);
  const url = await service.url();
  // One connection per request, so that the workers take turns.
  for (let count = 0; count < 30; count++) {
    await (await fetch(`${url}/features`, { headers: { connection: "close" } })).text();
  }
  service.signalGroup("SIGTERM");
  expect(await service.exit()).toBe(0);
  {
    await using eventLog = openEventLog({ kind: "sqlite", file: join(folder, "events.db") });
    const points = await eventLog.usage.points({ step: "day", from: 0, until: Date.now() });
    expect(points.map(({ feature, on }) => [feature, on])).toEqual([["menu", 30]]);
  }
  rmSync(folder, { recursive: true });
});
