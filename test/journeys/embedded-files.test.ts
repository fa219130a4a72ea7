import { existsSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ask } from "../support/calls.ts";
import { adminToken, type Operator, sqliteRules, startOperator } from "../support/operator.ts";
import { bearer } from "../support/service.ts";
import { tidegate } from "../support/tidegate.ts";
import { until } from "../support/until.ts";

describe("the files of the embedded store", () => {
  let folder: string;
  let operator: Operator & AsyncDisposable;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "tidegate-embedded-"));
    operator = await startOperator(sqliteRules, { FOLDER: folder, TIDEGATE_DATA: folder });
    await operator.put("/sources/global/features/one");
  });
  afterAll(async () => {
    await operator[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  it("are readable by their owner only", async () => {
    await until(() => existsSync(join(folder, "events.db-wal")), "the log is in use");
    for (const file of readdirSync(folder)) {
      expect([file, statSync(join(folder, file)).mode & 0o077]).toEqual([file, 0]);
    }
  });

  const asked = () => ask(operator.service);
  const readiness = async () => {
    const answer = await operator.service.get("/health/ready", bearer(adminToken));
    return { status: answer.status, body: JSON.stringify(await answer.json()) };
  };

  it("include a store whose loss is an outage until it is restored", async () => {
    await until(async () => (await asked()).mark === null, "answers are fresh");
    expect((await readiness()).status).toBe(200);
    const file = join(folder, "store.db");
    renameSync(file, `${file}.away`);
    await until(async () => (await asked()).mark !== null, "answers are marked");
    expect(await asked()).toMatchObject({ status: 200, features: ["always", "one"] });
    expect((await operator.put("/sources/global/features/two")).status).toBe(503);
    expect((await operator.put("/killed/one")).status).toBe(503);
    const failing = '"connections":{"users":"failing","features":"failing"}';
    await until(async () => (await readiness()).body.includes(failing), "readiness reports it");
    expect((await readiness()).status).toBe(200);
    renameSync(`${file}.away`, file);
    await until(async () => (await operator.put("/killed/one")).status === 200, "the feature is killed");
    await until(async () => (await asked()).mark === null, "answers are fresh again");
    expect((await asked()).features).toEqual(["always"]);
  });

  it.each(["store.db-wal", "store.db-shm"])(
    "include %s, whose loss is an outage until it is restored",
    async (name) => {
      await until(async () => (await asked()).mark === null, "answers are fresh");
      const file = join(folder, name);
      renameSync(file, `${file}.away`);
      await until(async () => (await asked()).mark !== null, "answers are marked");
      expect((await operator.put("/sources/global/features/two")).status).toBe(503);
      renameSync(`${file}.away`, file);
      await until(async () => (await operator.put("/killed/one")).status === 200, "changes are accepted again");
    },
  );

  it("include an event log whose loss readiness reports, without an effect on changes", async () => {
    const file = join(folder, "events.db");
    await until(async () => (await readiness()).body.includes('"log":"answering"'), "the log is available");
    renameSync(file, `${file}.away`);
    await until(async () => (await readiness()).body.includes('"log":"failing"'), "the loss is reported");
    expect((await operator.put("/sources/global/features/three")).status).toBe(200);
    renameSync(`${file}.away`, file);
    const isRecorded = async () =>
      (await (await operator.service.get("/events?feature=three", bearer(adminToken))).text()).includes("three added");
    await until(isRecorded, "the change is in the log");
  });
});

describe("an embedded store that is empty at the start", () => {
  let folder: string;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "tidegate-empty-"));
    await using operator = await startOperator(sqliteRules, env());
    await operator.put("/sources/global/features/one");
    const isRecorded = async () =>
      (await (await operator.service.get("/events?feature=one", bearer(adminToken))).text()).includes("one added");
    await until(isRecorded, "the change is in the log");
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const env = () => ({ FOLDER: folder, TIDEGATE_DATA: folder });

  it("is rejected if the event log has changes, until it is accepted, or its own file is restored", async () => {
    renameSync(join(folder, "store.db"), join(folder, "lost.db"));
    await expectRejectedUntilAccepted();
    for (const end of ["", "-wal", "-shm"]) rmSync(join(folder, `store.db${end}`), { force: true });
    renameSync(join(folder, "lost.db"), join(folder, "store.db"));
    await using operator = await startOperator(sqliteRules, env());
    expect(await operator.features()).toEqual(["always", "one"]);
  });

  async function expectRejectedUntilAccepted(): Promise<void> {
    await using operator = await startOperator(sqliteRules, env());
    const statuses = async () => [
      (await operator.service.get("/features")).status,
      (await operator.service.get("/features", bearer("1234"))).status,
      (await operator.service.get("/health/ready")).status,
      (await operator.put("/killed/one")).status,
    ];
    expect(await statuses()).toEqual([503, 503, 503, 503]);
    const configuration = join(folder, "rules.yaml");
    writeFileSync(configuration, sqliteRules);
    const cli = (...args: string[]) => tidegate(["-c", configuration, ...args], env());
    const refused = await cli("sets", "add", "global_features", "two");
    expect(refused).toMatchObject({
      code: 78,
      stderr: expect.stringMatching(
        /is empty, but the event log has changes of an earlier one; .* npx tidegate stores accept/,
      ),
    });
    expect((await cli("stores", "accept")).code).toBe(0);
    await until(async () => (await statuses()).join() === "200,401,200,200", "the store is accepted");
  }
});

describe("another embedded store that is empty at the start", () => {
  it("is served if the event log has no changes", async () => {
    const other = mkdtempSync(join(tmpdir(), "tidegate-new-"));
    for (let start = 0; start < 2; start += 1) {
      await using operator = await startOperator(sqliteRules, { FOLDER: other, TIDEGATE_DATA: other });
      expect(await operator.features()).toEqual(["always"]);
      const isRecorded = async () =>
        (await (await operator.service.get("/events", bearer(adminToken))).text()).includes(
          "are recorded from this event on",
        );
      await until(isRecorded, "the store's content is in the log");
      for (const end of ["", "-wal", "-shm"]) rmSync(join(other, `store.db${end}`), { force: true });
    }
    rmSync(other, { recursive: true });
  });
});
