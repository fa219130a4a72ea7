import { mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ask } from "./support/calls.ts";
import { adminToken, backoffice, type Operator, sqliteRules } from "./support/operator.ts";
import { bearer } from "./support/service.ts";
import { until } from "./support/until.ts";

describe("the files of the embedded store", () => {
  let folder: string;
  let operator: Operator & AsyncDisposable;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "tidegate-embedded-"));
    operator = await backoffice(sqliteRules, { FOLDER: folder, TIDEGATE_DATA: folder });
    await operator.put("/sources/global/features/one");
  });
  afterAll(async () => {
    await operator[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  const asked = () => ask(operator.service);
  const readiness = async () => {
    const answer = await operator.service.get("/health/ready", bearer(adminToken));
    return { status: answer.status, body: JSON.stringify(await answer.json()) };
  };

  it("a store that is lost is an outage until it is put back", async () => {
    await until(async () => (await asked()).mark === null, "answers are fresh");
    expect((await readiness()).status).toBe(200);
    const file = join(folder, "store.db");
    renameSync(file, `${file}.away`);
    await until(async () => (await asked()).mark !== null, "answers are marked");
    expect(await asked()).toMatchObject({ status: 200, features: ["always", "one"] });
    expect((await operator.put("/sources/global/features/two")).status).toBe(503);
    expect((await operator.put("/killed/one")).status).toBe(503);
    const { status, body } = await readiness();
    expect(status).toBe(200);
    expect(body).toContain('"connections":{"users":"failing","features":"failing"}');
    renameSync(`${file}.away`, file);
    await until(async () => (await operator.put("/killed/one")).status === 200, "the feature is killed");
    expect(await asked()).toMatchObject({ features: ["always"], mark: null });
  });

  it("a lost activity log is reported by readiness, and takes nothing from changes", async () => {
    const file = join(folder, "activity.db");
    await until(async () => (await readiness()).body.includes('"log":"answering"'), "the log answers");
    renameSync(file, `${file}.away`);
    await until(async () => (await readiness()).body.includes('"log":"failing"'), "the loss is reported");
    expect((await operator.put("/sources/global/features/three")).status).toBe(200);
    renameSync(`${file}.away`, file);
    const isRecorded = async () =>
      (await (await operator.service.get("/events?feature=three", bearer(adminToken))).text()).includes("three added");
    await until(isRecorded, "the change is in the log");
  });
});
