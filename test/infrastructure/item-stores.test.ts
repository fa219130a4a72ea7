import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openSqlite } from "../../src/infrastructure/sqlite/sqlite-connection.ts";
import { itemStoreContract } from "../contracts/item-store.contract.ts";
import { anItem } from "../support/items.ts";
import { emptied } from "../support/redis.ts";
import { redisStore, sqliteStore } from "../support/stores.ts";

describe("items in Redis", () => {
  let store: Awaited<ReturnType<typeof redisStore>>;
  beforeAll(async () => {
    store = await redisStore();
  });
  beforeEach(async () => void (await emptied(store.server.client)));
  afterAll(() => store[Symbol.asyncDispose]());

  itemStoreContract(() => store.connection.items);

  it("belong to Tidegate, so that a store with nothing else counts as empty", async () => {
    await store.connection.items.put("fever", [anItem("1")]);
    expect(await store.connection.isEmpty()).toBe(true);
  });

  it("reject if a key has another type", async () => {
    await store.server.client.set("tidegate:items:{fever}", "text");
    await expect(store.connection.items.put("fever", [anItem("1")])).rejects.toThrow(/wrong type/);
  });
});

describe("items in SQLite", () => {
  let store: ReturnType<typeof sqliteStore>;
  beforeAll(() => {
    store = sqliteStore();
  });
  beforeEach(async () => {
    await store[Symbol.asyncDispose]();
    store = sqliteStore();
  });
  afterAll(() => store[Symbol.asyncDispose]());

  itemStoreContract(() => store.connection.items);

  it("get their tables in a file of an earlier version", async () => {
    const folder = mkdtempSync(join(tmpdir(), "tidegate-items-"));
    const file = join(folder, "tidegate.db");
    await openSqlite("store", file)[Symbol.asyncDispose]();
    using earlier = new DatabaseSync(file);
    earlier.exec("DROP TABLE items; DROP TABLE providers");
    const connection = openSqlite("store", file);
    await connection.items.put("fever", [anItem("1")]);
    expect((await connection.items.since("fever", undefined, 10)).items).toEqual([anItem("1")]);
    await connection[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });
});
