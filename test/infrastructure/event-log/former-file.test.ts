import { execFile } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openEventLog } from "../../../src/infrastructure/event-log/open-event-log.ts";
import { createLog } from "../../../src/infrastructure/logger.ts";
import { anEvent } from "../../support/events.ts";

describe("the event log file of version 0.1", () => {
  let folder: string;
  let lines: string[];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "tidegate-former-"));
    lines = [];
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const former = () => join(folder, "activity.db");
  const file = () => join(folder, "events.db");
  const location = () => ({ kind: "sqlite", file: file(), formerFile: former() }) as const;
  const log = createLog("info", { write: (line) => void lines.push(line) });
  const messages = () => lines.map((line) => JSON.parse(line).msg);

  /** Leaves an old file with an event. After a crash, the event is in its -wal only. */
  async function leaveOld(crashed = false): Promise<void> {
    const script = `import { openEventLog } from ${JSON.stringify(resolve("src/infrastructure/event-log/open-event-log.ts"))};
      const { log } = openEventLog({ kind: "sqlite", file: ${JSON.stringify(former())} });
      await log.append(${JSON.stringify(anEvent({ message: "from before" }))});
      process.kill(process.pid, "SIGKILL");`;
    if (crashed) {
      const run = promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script]);
      await run.catch(() => {});
      expect(existsSync(`${former()}-wal`)).toBe(true);
      return;
    }
    await using old = openEventLog({ kind: "sqlite", file: former() });
    await old.log.append(anEvent({ message: "from before" }));
  }

  async function eventsOf(opened: ReturnType<typeof openEventLog>): Promise<readonly string[]> {
    expect(await opened.log.verify()).toMatchObject({ isSound: true });
    return (await opened.log.find({}, 10)).map(({ message }) => message);
  }

  it.each([false, true])("is renamed, with its events (after a crash: %s)", async (crashed) => {
    await leaveOld(crashed);
    await using opened = openEventLog(location(), log);
    expect(await eventsOf(opened)).toEqual(["from before"]);
    expect(readdirSync(folder).filter((name) => !name.startsWith("events.db"))).toEqual([]);
    expect(messages()).toEqual(["event log renamed"]);
  });

  it("is accessible to its owner only from then on, although it was readable by everyone", async () => {
    await leaveOld(true);
    for (const name of readdirSync(folder)) chmodSync(join(folder, name), 0o644);
    await using opened = openEventLog(location(), log);
    await opened.log.append(anEvent());
    const modes = readdirSync(folder).map((name) => [name, statSync(join(folder, name)).mode & 0o777]);
    expect(modes).toEqual(["events.db", "events.db-shm", "events.db-wal"].map((name) => [name, 0o600]));
  });

  it("is renamed once, with its events, by several concurrent starts", async () => {
    await leaveOld(true);
    const script = `import { openEventLog } from ${JSON.stringify(resolve("src/infrastructure/event-log/open-event-log.ts"))};
      await using opened = openEventLog(${JSON.stringify(location())});
      await opened.log.append({ ...${JSON.stringify(anEvent({ message: "new" }))}, id: String(process.pid) });`;
    const run = () => promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script]);
    await Promise.all(Array.from({ length: 3 }, run));
    await using opened = openEventLog(location(), log);
    expect(await eventsOf(opened)).toEqual(["new", "new", "new", "from before"]);
  });

  it("is renamed completely after a crash at any step", async () => {
    for (const moved of [[""], ["", "-wal"], ["", "-wal", "-shm"]]) {
      rmSync(folder, { recursive: true });
      folder = mkdtempSync(join(tmpdir(), "tidegate-former-"));
      await leaveOld(true);
      for (const suffix of moved) renameSync(former() + suffix, file() + (suffix || ".renaming"));
      await using opened = openEventLog(location());
      expect(await eventsOf(opened)).toEqual(["from before"]);
      expect(readdirSync(folder).filter((name) => !/^events\.db(-wal|-shm)?$/.test(name))).toEqual([]);
    }
  });

  it("is left unchanged and ignored if the new file exists", async () => {
    await leaveOld();
    await using first = openEventLog({ kind: "sqlite", file: file() });
    await first.log.append(anEvent({ message: "new" }));
    await using opened = openEventLog(location(), log);
    expect(await eventsOf(opened)).toEqual(["new"]);
    expect(existsSync(former())).toBe(true);
    expect(messages()).toEqual(["two event logs found; the old one is ignored"]);
  });

  it("is not mixed with the -wal of another database", async () => {
    await leaveOld();
    writeFileSync(`${file()}-wal`, "of another");
    expect(() => openEventLog(location(), log)).toThrow(/events\.db-wal belongs to another database; remove it$/);
    expect(existsSync(former())).toBe(true);
  });

  it("is optional", async () => {
    await using opened = openEventLog(location(), log);
    expect(await eventsOf(opened)).toEqual([]);
    expect(messages()).toEqual([]);
  });
});
