import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SetupFailed } from "../../src/infrastructure/setup-failed.ts";
import { openSqlite } from "../../src/infrastructure/sqlite/sqlite-connection.ts";
import { hashedTokenKey, plainTokenKey } from "../../src/infrastructure/token-key.ts";
import { featureSetsContract } from "../contracts/feature-sets.contract.ts";
import { featureStoreContract } from "../contracts/feature-store.contract.ts";
import { tokenResolverContract } from "../contracts/token-resolver.contract.ts";
import { tokenStoreContract } from "../contracts/token-store.contract.ts";
import { sqliteStore, type TestStore } from "../support/stores.ts";

describe("SQLite", () => {
  let store: TestStore;
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "tidegate-sqlite-"));
    store = sqliteStore(join(folder, "deep/down/tidegate.db"));
  });
  afterEach(async () => {
    await store[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  featureSetsContract(() => ({ sets: store.connection.sets, put: store.put }));
  featureStoreContract(() => store.connection);

  describe.each([
    ["plain", plainTokenKey()],
    ["hashed", hashedTokenKey("pepper")],
  ])("with %s tokens", (_, keyOf) => {
    const resolver = () => store.connection.tokenResolver(keyOf);
    const tokens = () => store.connection.tokenStore(keyOf);
    tokenResolverContract(() => ({
      resolver: resolver(),
      put: async (token, userId) => void (await tokens().assign(token, userId)),
    }));
    tokenStoreContract(() => ({ store: tokens(), resolver: resolver() }));
  });

  it("keeps what was changed when it is closed and opened again", async () => {
    const file = join(folder, "kept.db");
    {
      await using first = openSqlite("features", file);
      await first.changes.apply({ key: "global_features", add: ["kept"], remove: [] });
    }
    await using second = openSqlite("features", file);
    expect((await second.sets.read("global_features", 10)).value.features).toEqual(["kept"]);
  });

  it("may be made by several processes at once", async () => {
    const file = join(folder, "raced.db");
    const open = `import { openSqlite } from ${JSON.stringify(resolve("src/infrastructure/sqlite/sqlite-connection.ts"))};
      openSqlite("features", ${JSON.stringify(file)});`;
    const started = Array.from({ length: 6 }, () =>
      promisify(execFile)(process.execPath, ["--input-type=module", "--eval", open]),
    );
    await expect(Promise.all(started)).resolves.toHaveLength(6);
  });

  it("shows what another connection changes", async () => {
    const file = join(folder, "shared.db");
    await using server = openSqlite("features", file);
    await using commandLine = openSqlite("features", file);
    await commandLine.changes.apply({ key: "global_features", add: ["new"], remove: [] });
    expect((await server.sets.read("global_features", 10)).value.features).toEqual(["new"]);
  });

  it("holds no token in the hashed layout", async () => {
    const file = join(folder, "hashed.db");
    await using connection = openSqlite("users", file);
    await connection.tokenStore(hashedTokenKey("pepper")).assign("s3cret-token", "1");
    const written = readFileSync(file, "latin1") + readFileSync(`${file}-wal`, "latin1");
    expect(written).toContain("tokenh:");
    expect(written).not.toContain("s3cret");
  });

  it("says which connection cannot open its file, and what to do", () => {
    const file = join(folder, "text");
    writeFileSync(file, "this is no database, and long enough to be seen not to be one".repeat(100));
    expect(() => openSqlite("users", file)).toThrow(SetupFailed);
    expect(() => openSqlite("users", file)).toThrow(
      /connection "users" cannot open .*; make it writable, or name another/,
    );
  });

  it("knows whether it is empty", async () => {
    expect(await store.connection.isEmpty()).toBe(true);
    await store.connection.tokenStore(plainTokenKey()).assign("1234", "1");
    expect(await store.connection.isEmpty()).toBe(false);
  });
});
