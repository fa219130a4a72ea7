import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { appendFileSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { StoreFull } from "../../src/domain/errors.ts";
import { createLog } from "../../src/infrastructure/logger.ts";
import { DiskReserve, isDiskFull } from "../../src/infrastructure/sqlite/disk-reserve.ts";
import { openSqlite } from "../../src/infrastructure/sqlite/sqlite-connection.ts";
import { plainTokenKey } from "../../src/infrastructure/token-key.ts";
import { sqliteRules, startOperator } from "../support/operator.ts";
import { aChange, changeOf, recordsIn } from "../support/stores.ts";
import { until } from "../support/until.ts";

/** A disk of 24 MiB per test: two logs of writes take up to 4 MiB each, and the reserve needs 8 free. */
let disk: string;
let isMounted: boolean;
beforeEach((context) => {
  disk = mkdtempSync(join(tmpdir(), "tidegate-disk-"));
  isMounted = mounts();
  if (!isMounted) context.skip("mounting a small disk is not allowed here");
});
afterEach(() => {
  // A process that is being started elsewhere has its files open for a moment.
  if (isMounted) execFileSync("umount", ["-l", disk]);
  rmSync(disk, { recursive: true });
});

function mounts(): boolean {
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=24m,mode=700", "tmpfs", disk], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** Fills all free space, page by page at the end. */
function fillDisk(): void {
  for (const size of [1_048_576, 4_096]) {
    try {
      while (true) appendFileSync(join(disk, "other"), Buffer.alloc(size));
    } catch (error) {
      expect(error).toMatchObject({ code: "ENOSPC" });
    }
  }
}

describe("a full disk", () => {
  it("is recognized by a failed write beside the file if SQLite reports a general I/O error, as with a quota", () => {
    const file = join(disk, "store.db");
    const errors = [778, 1_034, 4_618, 14].map((errcode) => Object.assign(new Error("I/O"), { errcode }));
    for (const error of errors) expect(isDiskFull(error, file)).toBe(false);
    fillDisk();
    for (const error of errors) expect(isDiskFull(error, file)).toBe(true);
    expect(isDiskFull(Object.assign(new Error("busy"), { errcode: 5 }), file)).toBe(false);
    expect(readdirSync(disk)).toEqual(["other"]);
  });

  it("accepts and records kills and removals, and no other change", async () => {
    const lines: string[] = [];
    await using store = openSqlite(
      "features",
      join(disk, "store.db"),
      createLog("info", { write: (line) => void lines.push(line) }),
    );
    const { changes, documents } = store;
    const tokens = store.tokenStore(plainTokenKey());
    await tokens.assign({ ...aChange(), token: "1234", userId: "1" });
    await documents.put({ ...aChange(), collection: "rules", name: "x", value: 1 });
    const reserve = join(disk, "store.db-reserve");
    await until(() => existsSync(reserve) && statSync(reserve).size === 4 * 1_024 * 1_024, "the reserve is made");
    expect(statSync(reserve).mode & 0o777).toBe(0o600);
    fillDisk();
    let added = 0;
    const addMany = async () => {
      while (true) await changes.apply(changeOf("global_features", { add: [`feature_${++added}`] }));
    };
    await expect(addMany()).rejects.toThrow(StoreFull);
    const before = (await recordsIn(store)).length;
    for (let number = 0; number < 60; number += 1) {
      const kill = changeOf("tidegate:killed", { add: [`feature_${number}`] });
      expect((await changes.apply({ ...kill, urgent: true })).added).toHaveLength(1);
    }
    expect(await tokens.revoke({ ...aChange(), token: "1234" })).toBe("1");
    await documents.put({ ...aChange(), collection: "rules", name: "x", value: null });
    // The baseline record of the set is included.
    expect(await recordsIn(store)).toHaveLength(before + 63);
    expect(statSync(reserve).size).toBeLessThan(4 * 1_024 * 1_024);
    expect(lines.join()).toMatch(/"level":50.*disk full; a kill or removal uses the reserve/);
    rmSync(join(disk, "other"));
    await changes.apply(changeOf("global_features", { add: ["there_is_room"] }));
  });

  it("reuses the write-ahead log, so that a thousand kills are applied", async () => {
    await using store = openSqlite("features", join(disk, "store.db"));
    const reserve = join(disk, "store.db-reserve");
    await until(() => existsSync(reserve) && statSync(reserve).size === 4 * 1_024 * 1_024, "the reserve is made");
    fillDisk();
    for (let number = 0; number < 1_000; number += 1) {
      const feature = [`feature_${number % 50}`];
      const kill = number % 100 < 50 ? { add: feature } : { remove: feature };
      await store.changes.apply({ ...changeOf("tidegate:killed", kill), urgent: true });
    }
    expect(await recordsIn(store)).toHaveLength(1_001);
  });

  it("lets a service kill and remove features on every route, with idempotency keys", async () => {
    await using operator = await startOperator(sqliteRules, { FOLDER: disk, TIDEGATE_DATA: disk });
    expect((await operator.put("/sources/global/features/granted")).status).toBe(200);
    const reserve = join(disk, "store.db-reserve");
    await until(() => existsSync(reserve) && statSync(reserve).size === 4 * 1_024 * 1_024, "the reserve is made");
    fillDisk();
    await until(async () => {
      const { status, body } = await operator.put(`/sources/global/features/${randomUUID()}`);
      return status === 503 && body.code === "store-full";
    }, "the store is full");
    for (let number = 0; number < 20; number++) {
      const key = () => ({ "idempotency-key": randomUUID() });
      const changes = { changes: [{ source: "killed", add: [`bulk_${number}`] }] };
      const answers = [
        await operator.put(`/killed/own_${number}`, key()),
        await operator.put(`/sources/killed/features/set_${number}`, key()),
        await operator.post("/changes", changes, key()),
      ];
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    }
    expect((await operator.delete("/sources/global/features/granted", { "idempotency-key": "x" })).status).toBe(200);
    expect((await operator.get("/killed")).body.features).toHaveLength(60);
  });

  it("opens a store with the reserve, and applies kills", async () => {
    const file = join(disk, "store.db");
    {
      await using store = openSqlite("features", file);
      await store.changes.apply(changeOf("global_features", { add: ["feature_1"] }));
      await until(() => existsSync(`${file}-reserve`), "the reserve is made");
    }
    fillDisk();
    await using store = openSqlite("features", file);
    expect((await store.sets.read("global_features", 10)).value.features).toEqual(["feature_1"]);
    const kill = changeOf("tidegate:killed", { add: ["feature_1"] });
    expect((await store.changes.apply({ ...kill, urgent: true })).added).toEqual(["feature_1"]);
  });

  it("is the reported cause if a store without a reserve cannot be opened", async () => {
    const file = join(disk, "store.db");
    await openSqlite("features", file)[Symbol.asyncDispose]();
    rmSync(`${file}-reserve`, { force: true });
    fillDisk();
    expect(() => openSqlite("features", file)).toThrow(`the disk that holds ${file} is full`);
  });

  it("has a reserve of its whole size and no more, which several connections fill at once", async () => {
    const file = join(disk, "reserve");
    await using one = new DiskReserve(file);
    await using other = new DiskReserve(file);
    await Promise.all([one.fill(), other.fill()]);
    const { size, blocks } = statSync(file);
    expect(size).toBe(4 * 1_024 * 1_024);
    // Without holes: they would give no room.
    expect(blocks * 512).toBe(size);
    // The size while another writes a step.
    truncateSync(file, 5 * 4_096);
    await one.fill();
    expect(statSync(file).size).toBe(size);
  });

  it("gets room from the reserve, which is filled again later", async () => {
    const file = join(disk, "reserve");
    await using reserve = new DiskReserve(file);
    // A fill of the reserve's own may be under way, and it may have looked at the disk before.
    const isFilled = () =>
      until(async () => {
        await reserve.fill();
        return statSync(file).size === 4 * 1_024 * 1_024;
      }, "the reserve is whole");
    fillDisk();
    await reserve.fill();
    expect(reserve.release()).toBe(false);
    rmSync(join(disk, "other"));
    await isFilled();
    expect(reserve.release()).toBe(true);
    expect(statSync(file).size).toBe((4_096 - 64) * 1_024);
    await isFilled();
  });
});
