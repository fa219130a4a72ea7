import { createHash } from "node:crypto";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { loadConfig } from "../../../src/bootstrap/config/config.ts";
import { checkDataFolder } from "../../../src/bootstrap/runtime/check-data-folder.ts";
import { eventLogSchemaVersion } from "../../../src/infrastructure/event-log/database/schema-version.ts";
import { SetupFailed } from "../../../src/infrastructure/setup-failed.ts";
import { schemaVersionOf } from "../../../src/infrastructure/sqlite/schema-version.ts";
import { storeSchemaVersion } from "../../../src/infrastructure/sqlite/sqlite-schema.ts";
import { TestProcess } from "../../support/process.ts";
import { tidegate } from "../../support/tidegate.ts";
import { until } from "../../support/until.ts";

const embedded = resolve(import.meta.dirname, "../../../config/embedded.yaml");
const root = mkdtempSync(join(tmpdir(), "tidegate-data-folder-"));
afterAll(() => rmSync(root, { recursive: true }));

let data: string;
beforeEach(() => {
  data = mkdtempSync(join(root, "data-"));
});

const check = async (folder: string) => checkDataFolder(await loadConfig(embedded, { TIDEGATE_DATA: folder }));
/** Redis without a server: the snapshot of its cache is the only file beside the event log. */
const redis = { REDIS_USERS_URL: "redis://127.0.0.1:1", REDIS_FEATURES_URL: "redis://127.0.0.1:1" };
const digests = (folder: string) =>
  readdirSync(folder).map((name) => [
    name,
    createHash("sha256")
      .update(readFileSync(join(folder, name)))
      .digest("hex"),
  ]);

/** The files of the data folder. */
const files = ["tidegate.db", "events.db", "snapshot.ndjson"];

/** Fills a folder, then gives one of its files the version of a later Tidegate. */
async function newer(folder: string, name: string): Promise<void> {
  expect((await tidegate(["sets", "add", "global_features", "a"], { TIDEGATE_DATA: folder })).code).toBe(0);
  expect((await tidegate(["events", "head"], { TIDEGATE_DATA: folder })).code).toBe(0);
  if (name === "snapshot.ndjson") {
    writeFileSync(join(folder, name), '{"snapshot":99,"at":"2030-01-01T00:00:00.000Z"}\n');
  } else {
    using opened = new DatabaseSync(join(folder, name));
    opened.exec("PRAGMA user_version = 99");
  }
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

  it.each<[string, (place: string) => void]>([
    ["a file is in its place", (place) => writeFileSync(place, "")],
    ["a file is in the place of its parent", (place) => writeFileSync(dirname(place), "")],
    ["it is a symbolic link to nothing", (place) => symlinkSync(join(place, "nothing"), place)],
    ["it is a symbolic link to itself", (place) => symlinkSync(place, place)],
  ])("is reported if %s", async (_, prepare) => {
    const place = join(data, "folder", "data");
    if (!/parent/.test(_)) mkdirSync(dirname(place));
    prepare(place);
    await expect(check(place)).rejects.toThrow(SetupFailed);
    await expect(check(place)).rejects.toThrow(
      /tidegate\.db is not writable: .*(not a folder|ENOTDIR|ELOOP).*; make its folder writable for this user, or set TIDEGATE_DATA/,
    );
  });

  // Node's own creation of a folder with its parents does not return there.
  it.skipIf(process.platform !== "linux")(
    "ends a start and a command at once in a file system without folders",
    async () => {
      const env = { TIDEGATE_DATA: "/proc/tidegate/data", WEB_CONCURRENCY: "1", PORT: "0" };
      await using service = new TestProcess(["src/main.ts"], env);
      await using command = new TestProcess(["src/cli.ts", "evaluate"], env);
      for (const started of [service, command]) {
        expect(await started.exit()).toBe(78);
        expect(started.stderr).toMatch(/^tidegate: .*\/proc\/tidegate.*ENOENT.*\n$/);
      }
    },
  );

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

  describe.each(files)("with %s of a newer version", (name) => {
    let before: unknown;
    beforeEach(async () => {
      await newer(data, name);
      before = digests(data);
    });

    it("is rejected by every command that opens it, in the same words and without a change", async () => {
      const commands = [
        ["sets", "add", "global_features", "b"],
        ["evaluate"],
        ["explain", "a"],
        ["events", "list"],
        ["events", "verify"],
        ["export"],
        ["import", "-"],
        ["demo"],
        ["credentials", "list"],
        ["tokens", "add", "--user", "1"],
        ["features", "kill", "a"],
        ["stores", "accept"],
        ["rules", "list", "rollout"],
        ["serve"],
      ];
      const message = new RegExp(
        `^tidegate: \\S*${name} belongs to a newer version of Tidegate \\(schema 99, [^\\n]*\\n$`,
      );
      const env = { TIDEGATE_DATA: data, ...(name === "snapshot.ndjson" && redis) };
      for (const command of commands) {
        const { code, stderr } = await tidegate(command, env, "token\n");
        expect([command, code, stderr]).toEqual([command, 78, expect.stringMatching(message)]);
      }
      expect(digests(data)).toEqual(before);
    });
  });

  it("has a version in the headers of its files, also after a crash", async () => {
    const env = { TIDEGATE_DATA: data, PORT: "0", WEB_CONCURRENCY: "1" };
    await using service = new TestProcess(["src/main.ts"], env);
    const url = await service.url();
    await until(async () => (await fetch(`${url}/health/ready`)).ok, "the service is ready", 20_000);
    service.signal("SIGKILL");
    await service.exit();
    expect(schemaVersionOf(join(data, "tidegate.db"))).toBe(storeSchemaVersion);
    expect(schemaVersionOf(join(data, "events.db"))).toBe(eventLogSchemaVersion);
  });

  it.each(["1", "2"])("ends a start with exit code 78 on one line, with %s worker(s)", async (workers) => {
    const env = { TIDEGATE_DATA: join(data, "file", "x"), WEB_CONCURRENCY: workers, PORT: "0" };
    writeFileSync(join(data, "file"), "");
    await using service = new TestProcess(["src/main.ts"], env);
    expect(await service.exit()).toBe(78);
    expect(service.stderr).toMatch(/^tidegate: .*is not writable.*\n$/);
  });
});
