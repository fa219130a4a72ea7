import { createHash } from "node:crypto";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { loadConfig } from "../../../src/bootstrap/config/config.ts";
import { checkDataFolder } from "../../../src/bootstrap/runtime/check-data-folder.ts";
import { DataFolderError } from "../../../src/infrastructure/sqlite/data-folder-error.ts";
import { TestProcess } from "../../support/process.ts";
import { tidegate } from "../../support/tidegate.ts";

const embedded = resolve(import.meta.dirname, "../../../config/embedded.yaml");
const root = mkdtempSync(join(tmpdir(), "tidegate-data-folder-"));
afterAll(() => rmSync(root, { recursive: true }));

let data: string;
beforeEach(() => {
  data = mkdtempSync(join(root, "data-"));
});

const check = async (folder: string) => checkDataFolder(await loadConfig(embedded, { TIDEGATE_DATA: folder }));
const digests = (folder: string) =>
  readdirSync(folder).map((name) => [
    name,
    createHash("sha256")
      .update(readFileSync(join(folder, name)))
      .digest("hex"),
  ]);

/** Fills a folder, then sets the schema of a later version in one of its databases. */
async function newer(folder: string, database: string): Promise<void> {
  expect((await tidegate(["sets", "add", "global_features", "a"], { TIDEGATE_DATA: folder })).code).toBe(0);
  expect((await tidegate(["events", "head"], { TIDEGATE_DATA: folder })).code).toBe(0);
  using opened = new DatabaseSync(join(folder, database));
  opened.exec("PRAGMA user_version = 99");
}

describe("the data folder at the start", () => {
  it("is created if it is missing", async () => {
    await check(join(data, "new", "folder"));
    expect(readdirSync(join(data, "new"))).toEqual(["folder"]);
  });

  it("stays in use by a version that supports its schema", async () => {
    const env = { TIDEGATE_DATA: data };
    for (const feature of ["a", "b"]) await tidegate(["sets", "add", "global_features", feature], env);
    await check(data);
    expect((await tidegate(["evaluate"], env)).stdout).toBe("a\nb\n");
  });

  it("is reported if it is not writable", async () => {
    writeFileSync(join(data, "file"), "");
    await expect(check(join(data, "file", "data"))).rejects.toThrow(DataFolderError);
    await expect(check(join(data, "file", "data"))).rejects.toThrow(
      /tidegate\.db is not writable: ENOTDIR.*; make its folder writable for this user, or set TIDEGATE_DATA/,
    );
  });

  // Root may write despite the mode.
  it.skipIf(process.getuid?.() === 0)("is reported if its mode forbids writing", async () => {
    chmodSync(data, 0o500);
    await expect(check(data)).rejects.toThrow(/is not writable: EACCES/);
  });

  it.each(["tidegate.db", "events.db"])("is reported and left unchanged if %s is of a newer version", async (name) => {
    await newer(data, name);
    const before = digests(data);
    await expect(check(data)).rejects.toThrow(
      new RegExp(`${name} belongs to a newer version of Tidegate \\(schema 99, .*; install that version, or restore`),
    );
    expect(digests(data)).toEqual(before);
  });

  it("is rejected by commands too if it is of a newer version, without a change", async () => {
    await newer(data, "tidegate.db");
    const before = digests(data);
    const { code, stderr } = await tidegate(["sets", "add", "global_features", "b"], { TIDEGATE_DATA: data });
    expect([code, stderr]).toEqual([78, expect.stringMatching(/^tidegate: .*belongs to a newer version/)]);
    expect(digests(data)).toEqual(before);
  });

  it.each(["1", "2"])("ends a start with exit code 78 on one line, with %s worker(s)", async (workers) => {
    const env = { TIDEGATE_DATA: join(data, "file", "x"), WEB_CONCURRENCY: workers, PORT: "0" };
    writeFileSync(join(data, "file"), "");
    await using service = new TestProcess(["src/main.ts"], env);
    expect(await service.exit()).toBe(78);
    expect(service.stderr).toMatch(/^tidegate: .*is not writable.*\n$/);
  });
});
