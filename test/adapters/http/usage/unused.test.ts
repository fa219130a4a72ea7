import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openEventLog } from "../../../../src/infrastructure/event-log/open-event-log.ts";
import { adminToken, type Operator, operatorOf } from "../../../support/operator.ts";
import { startServiceOn, type TestService } from "../../../support/service.ts";
import { tidegate } from "../../../support/tidegate.ts";

const day = 86_400_000;

describe("unused features", () => {
  let folder: string;
  let file: string;
  let service: TestService;
  let operator: Operator;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "tidegate-unused-"));
    file = join(folder, "tidegate.yaml");
    writeFileSync(
      file,
      `
connections:
  features: { kind: sqlite, file: "${folder}/store.db" }
  events: { kind: sqlite, file: "${folder}/events.db" }
sources:
  - { name: everyone, kind: static, features: { used: true, old: true, asked: false, never: false, described: false } }
  - { name: global, kind: set, connection: features, key: global_features }
`,
    );
    const minute = Math.floor(Date.now() / 60_000) * 60_000;
    await using eventLog = openEventLog({ kind: "sqlite", file: join(folder, "events.db") });
    const counted = (feature: string, on: boolean, via: "response" | "flag") => ({ feature, on, via, count: 1 });
    await eventLog.usage.add(minute - 60 * day, [counted("old", true, "response"), counted("used", true, "response")]);
    await eventLog.usage.add(minute - 10 * day, [
      counted("used", true, "response"),
      counted("asked", false, "flag"),
      counted("never", false, "response"),
    ]);
    service = await startServiceOn(file, { TIDEGATE_DATA: folder, TIDEGATE_ADMIN_TOKEN: adminToken });
    operator = operatorOf(service);
    await operator.put("/catalogue/described", {}, { description: "new" });
  });
  afterAll(async () => {
    await service[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  const unused = async (query: string) => {
    const { body } = await operator.get(`/features?${query}`);
    return body.features?.map(({ feature }: { feature: string }) => feature) ?? body;
  };

  it("are those that no evaluation had on or requested by key since then", async () => {
    expect(await unused("unusedFor=30d")).toEqual(["never", "old"]);
    expect(await unused("unusedFor=9d")).toEqual(["asked", "never", "old", "used"]);
    expect(await unused("unusedFor=240h")).toEqual(["asked", "never", "old", "used"]);
    expect(await unused("unusedFor=30d&search=ol")).toEqual(["old"]);
  });

  it("are none for a time in which usage was not counted", async () => {
    expect(await unused("unusedFor=90d")).toEqual([]);
  });

  it("are none of those that were used or described within the time", async () => {
    await service.get("/features");
    expect(await unused("unusedFor=5m")).toEqual(["asked", "never"]);
  });

  it.each(["30", "30y", "-1d", "401d", "0d"])("rejects the time %s", async (time) => {
    const { status, body } = await operator.get(`/features?unusedFor=${time}`);
    expect([status, body.code]).toEqual([400, "invalid-query"]);
  });

  it("are listed by the command line", async () => {
    const env = { TIDEGATE_DATA: folder, TIDEGATE_CONFIG: file };
    const { code, stdout } = await tidegate(["features", "list", "--unused-for", "9d"], env);
    expect([code, stdout.split("\n").map((line) => line.split(" ")[0])]).toEqual([0, ["asked", "never", ""]]);
    const wrong = await tidegate(["features", "list", "--unused-for", "soon"], env);
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining("--unused-for soon is invalid (expected")]);
  });
});
