import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EventLogUnavailable } from "../../../src/domain/errors.ts";
import type { Connection } from "../../../src/infrastructure/connection.ts";
import { type OpenEventLog, openEventLog } from "../../../src/infrastructure/event-log/open-event-log.ts";
import { createLog } from "../../../src/infrastructure/logger.ts";
import { openSqlite } from "../../../src/infrastructure/sqlite/sqlite-connection.ts";
import { anEvent } from "../../support/events.ts";
import { changeOf } from "../../support/stores.ts";
import { until } from "../../support/until.ts";

let folder: string;
let lines: string[];
const file = () => join(folder, "tested.db");
const copy = () => join(folder, "copy.db");
const log = () => createLog("info", { write: (line) => void lines.push(line) });
const loggedCount = (sentence: string) => lines.filter((line) => line.includes(sentence)).length;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tidegate-watched-"));
  lines = [];
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A check within 5 ms of the previous one is skipped. */
async function lookIsDue(): Promise<void> {
  const since = performance.now();
  await until(() => performance.now() > since + 10, "another look is due");
}

/** Another process moves all content into the file. */
function checkpoint(): void {
  using other = new DatabaseSync(file(), { timeout: 5_000 });
  other.exec("PRAGMA wal_checkpoint(TRUNCATE)");
}

/** Operations on the files of open databases, and the resulting messages. */
const losses: [string, () => void, string][] = [
  ["is removed", () => unlinkSync(file()), "was removed while in use; put it back"],
  ["is moved", () => renameSync(file(), `${file()}.away`), "was removed while in use"],
  ["is replaced by an older copy", () => renameSync(copy(), file()), "was replaced by another file"],
  ["is overwritten with an older copy", () => void execFileSync("cp", [copy(), file()]), "was overwritten"],
  ["is emptied", () => truncateSync(file()), "was overwritten"],
  ["is overwritten with text", () => writeFileSync(file(), "text".repeat(10_000)), "was overwritten"],
];

describe("an SQLite store", () => {
  let store: Connection;
  beforeEach(async () => {
    store = openSqlite("features", file(), log());
    await add("one");
    checkpoint();
    copyFileSync(file(), copy());
    await add("two");
    checkpoint();
    await looked();
  });
  afterEach(() => store[Symbol.asyncDispose]());

  const add = (feature: string) => store.changes.apply(changeOf("global_features", { add: [feature] }));
  const members = async () => [...(await store.sets.read("global_features", 10)).value.features];
  const isLost = () => loggedCount("database file lost; changes are rejected") === 1;
  const isBack = () => loggedCount("database file is back") === 1;
  /** Each change checks the file, unless it was just checked. */
  async function looked(): Promise<void> {
    await lookIsDue();
    await store.changes.revisions([]);
  }

  it.each(losses)("whose file %s rejects changes and reads, and logs one error", async (_, lose, message) => {
    lose();
    await until(isLost, "the loss is detected");
    await expect(store.check()).rejects.toThrow(message);
    await expect(add("three")).rejects.toThrow(message);
    await expect(members()).rejects.toThrow(message);
    expect(loggedCount("database file lost; changes are rejected")).toBe(1);
    expect(lines.join()).toMatch(/"level":50.*"connection":"features"/);
  });

  it("makes no change in a file that was just removed", async () => {
    await looked();
    unlinkSync(file());
    await lookIsDue();
    await expect(add("three")).rejects.toThrow("was removed");
  });

  it("continues when its file is restored, and ends the epoch of its feed", async () => {
    await using feed = store.invalidations([]);
    const { epoch } = feed;
    renameSync(file(), `${file()}.away`);
    await until(() => !feed.isLive(Date.now()), "nothing is fresh");
    renameSync(`${file()}.away`, file());
    await until(() => feed.isLive(Date.now()) && feed.epoch > epoch, "an epoch begins");
    await add("three");
    expect(await members()).toEqual(["one", "three", "two"]);
    expect(isBack()).toBe(true);
  });

  it("continues when the right content is copied over its file", async () => {
    execFileSync("cp", [file(), `${file()}.right`]);
    execFileSync("cp", [copy(), file()]);
    await until(isLost, "the loss is detected");
    execFileSync("cp", [`${file()}.right`, file()]);
    await until(isBack, "the file is back");
    await add("three");
    expect(await members()).toEqual(["one", "three", "two"]);
  });

  it("keeps all changes in the file if its write-ahead log is removed, once it is closed", async () => {
    await add("three");
    rmSync(`${file()}-wal`);
    await until(isLost, "the loss is detected");
    await store[Symbol.asyncDispose]();
    store = openSqlite("features", file());
    expect(await members()).toEqual(["one", "three", "two"]);
  });

  it("does not change a copy that overwrote its file", async () => {
    await add("three");
    execFileSync("cp", [copy(), file()]);
    await until(isLost, "the loss is detected");
    await store[Symbol.asyncDispose]();
    expect(readFileSync(file()).equals(readFileSync(copy()))).toBe(true);
    store = openSqlite("features", join(folder, "another.db"));
  });

  it("is lost when SQLite restores a backup into it", async () => {
    using other = new DatabaseSync(file(), { timeout: 5_000 });
    other.exec("UPDATE sqlite_sequence SET seq = 1");
    await until(isLost, "the loss is detected");
  });

  it("is not lost by writes, checkpoints and vacuums of other processes", async () => {
    await using other = openSqlite("features", file());
    for (let round = 0; round < 20; round += 1) {
      await other.changes.apply(changeOf("global_features", { add: [`other_${round}`] }));
      if (round % 5 === 0) checkpoint();
      await looked();
    }
    using tidy = new DatabaseSync(file(), { timeout: 5_000 });
    tidy.exec("VACUUM");
    checkpoint();
    await looked();
    await add("three");
    expect(lines).toEqual([]);
  });

  it("is not created anew next to the write-ahead log of a removed file", () => {
    unlinkSync(file());
    expect(() => openSqlite("features", file())).toThrow(/is missing, but its -wal exists; put it back/);
  });
});

describe("the event log", () => {
  let eventLog: OpenEventLog;
  beforeEach(async () => {
    eventLog = openEventLog({ kind: "sqlite", file: file() }, log());
    await append();
    checkpoint();
    copyFileSync(file(), copy());
    await append();
    checkpoint();
    // Each call checks the file. A copy from before a checkpoint may be detected by its inode only.
    await lookIsDue();
    await eventLog.log.head();
  });
  afterEach(() => eventLog[Symbol.asyncDispose]());

  const append = () => eventLog.log.append(anEvent());
  const isLost = () => loggedCount("event log file lost; changes wait in the outbox") === 1;

  it.each(losses)("whose file %s rejects calls, and logs one error even without a call", async (_, lose, message) => {
    await eventLog.log.head();
    lose();
    await until(isLost, "the loss is detected");
    expect(lines.join()).toContain(message);
    await expect(append()).rejects.toThrow(EventLogUnavailable);
    await expect(eventLog.log.head()).rejects.toThrow(EventLogUnavailable);
  });

  it("continues when its file is restored", async () => {
    renameSync(file(), `${file()}.away`);
    await until(isLost, "the loss is detected");
    renameSync(`${file()}.away`, file());
    await until(() => loggedCount("event log file is back") === 1, "it is back");
    expect((await append()).position).toBe(3);
  });
});
