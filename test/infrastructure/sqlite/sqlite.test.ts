import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { FeatureStore } from "../../../src/domain/admin/feature-store.ts";
import { StoreFull } from "../../../src/domain/errors.ts";
import type { FeatureSets } from "../../../src/domain/evaluation/feature-sets.ts";
import { CachedFeatureSets } from "../../../src/infrastructure/cache/cached-feature-sets.ts";
import { CachedRules } from "../../../src/infrastructure/cache/cached-rules.ts";
import type { Connection } from "../../../src/infrastructure/connection.ts";
import { SetupFailed } from "../../../src/infrastructure/setup-failed.ts";
import { openSqlite } from "../../../src/infrastructure/sqlite/sqlite-connection.ts";
import { sqliteJournal } from "../../../src/infrastructure/sqlite/sqlite-journal.ts";
import { prepareSchema } from "../../../src/infrastructure/sqlite/sqlite-schema.ts";
import { sqliteFeatureStore } from "../../../src/infrastructure/sqlite/stores/sqlite-feature-store.ts";
import { hashedTokenKey, plainTokenKey } from "../../../src/infrastructure/token-key.ts";
import { documentStoreContract } from "../../contracts/document-store.contract.ts";
import { featureRegisterContract } from "../../contracts/feature-register.contract.ts";
import { featureSetsContract } from "../../contracts/feature-sets.contract.ts";
import { featureStoreContract } from "../../contracts/feature-store.contract.ts";
import { idempotencyKeysContract } from "../../contracts/idempotency-keys.contract.ts";
import { documentLoadContract, setLoadContract, tokenLoadContract } from "../../contracts/load.contract.ts";
import { outboxContract } from "../../contracts/outbox.contract.ts";
import { contractCollections, rulesContract } from "../../contracts/rules.contract.ts";
import { secretsContract } from "../../contracts/secrets.contract.ts";
import { setIndexContract } from "../../contracts/set-index.contract.ts";
import { storedValuesContract } from "../../contracts/stored-values.contract.ts";
import { tokenResolverContract } from "../../contracts/token-resolver.contract.ts";
import { tokenStoreContract } from "../../contracts/token-store.contract.ts";
import { aChange, recording, recordsIn, sqliteStore, type TestStore } from "../../support/stores.ts";
import { until } from "../../support/until.ts";

/** The content of a file from before changes were recorded. */
const earlierTables = `
  PRAGMA journal_mode = WAL;
  CREATE TABLE members (key TEXT, feature TEXT, PRIMARY KEY (key, feature)) STRICT, WITHOUT ROWID;
  CREATE TABLE tokens (key TEXT PRIMARY KEY, user_id TEXT NOT NULL) STRICT, WITHOUT ROWID;
`;

describe("SQLite", () => {
  let store: TestStore;
  let folder: string;
  const file = () => join(folder, "deep/down/tidegate.db");
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "tidegate-sqlite-"));
    store = sqliteStore(file());
  });
  afterEach(async () => {
    await store[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  idempotencyKeysContract(() => store.connection.idempotencyKeys);

  featureSetsContract(() => ({ sets: store.connection.sets, put: store.put }));
  storedValuesContract(() => ({ values: store.connection.values, put: store.put }));
  featureStoreContract(() => recording(store));
  setIndexContract(() => recording(store));
  setLoadContract(() => recording(store));
  outboxContract(() => recording(store));

  documentStoreContract(() => ({
    documents: store.connection.documents,
    records: () => recordsIn(store.connection),
  }));
  documentLoadContract(() => ({
    documents: store.connection.documents,
    records: () => recordsIn(store.connection),
  }));

  const spoil = async (collection: string, name: string) => {
    using other = new DatabaseSync(file());
    other.prepare("INSERT INTO documents VALUES (?, ?, 'no JSON', 'e', 1, 1)").run(collection, name);
  };
  rulesContract(async () => ({ ...store.connection, spoil }));

  secretsContract(async () => store.connection.secrets);

  featureRegisterContract(async () => ({
    register: store.connection.register,
    setDay: async (key, day) => {
      using other = new DatabaseSync(file());
      other.prepare("UPDATE register SET day = ? WHERE feature = ?").run(day, key);
    },
  }));

  describe("cached rules", () => {
    let feed: ReturnType<typeof store.connection.invalidations>;
    beforeEach(() => {
      feed = store.connection.invalidations([]);
    });
    afterEach(() => feed[Symbol.asyncDispose]());

    rulesContract(async () => {
      const { documents, rules } = store.connection;
      const limits = { capacity: 1_000, expiryMs: 60_000, maxStaleMs: 60_000 };
      const collections = new Set(contractCollections);
      return { rules: new CachedRules(rules, collections, feed, limits, Date.now), documents, spoil };
    });
  });

  describe.each([
    ["plain", plainTokenKey()],
    ["hashed", hashedTokenKey("pepper")],
  ])("with %s tokens", (_, keyOf) => {
    const resolver = () => store.connection.tokenResolver(keyOf);
    const put = async (token: string, userId: string) => {
      using other = new DatabaseSync(file());
      other.prepare("INSERT OR REPLACE INTO tokens (key, user_id) VALUES (?, ?)").run(keyOf(token), userId);
    };
    tokenResolverContract(() => ({ resolver: resolver(), put }));
    const underTest = () => ({
      store: store.connection.tokenStore(keyOf),
      resolver: resolver(),
      put,
      records: () => recordsIn(store.connection),
    });
    tokenStoreContract(underTest);
    tokenLoadContract(underTest, (token) => keyOf(token).slice(keyOf.prefix.length));
  });

  it("checks a recorded set without waiting for a writer", async () => {
    await add(store.connection, "global_features", "one");
    using other = new DatabaseSync(file());
    other.exec("BEGIN IMMEDIATE");
    expect(await store.connection.changes.reconcile({ key: "global_features", personal: false })).toBe(false);
    other.exec("ROLLBACK");
  });

  it("keeps changes when it is closed and opened again", async () => {
    const file = join(folder, "kept.db");
    {
      await using first = openSqlite("features", file);
      await add(first, "global_features", "kept");
    }
    await using second = openSqlite("features", file);
    expect(await members(second, "global_features")).toEqual(["kept"]);
    await add(second, "global_features", "more");
    expect((await recordsIn(second)).map(({ revision }) => revision.number)).toEqual([1, 2, 3]);
  });

  it.each([
    ["new", ""],
    ["of an earlier version", earlierTables],
  ])("can be opened by several processes at once if it is %s", async (_, content) => {
    const file = join(folder, "raced.db");
    using cached = new DatabaseSync(file);
    // With existing tables, all processes wait for the same instant to add to them.
    if (content) cached.exec(`${content} BEGIN IMMEDIATE`);
    const open = `import { openSqlite } from ${JSON.stringify(resolve("src/infrastructure/sqlite/sqlite-connection.ts"))};
      process.stdout.write("opening");
      const { changes } = openSqlite("features", ${JSON.stringify(file)});
      await changes.apply({ id: "", by: "", key: "a", personal: false, add: ["p" + process.pid], remove: [] });`;
    let opening = 0;
    const started = Array.from({ length: 3 }, () => {
      const running = promisify(execFile)(process.execPath, ["--input-type=module", "--eval", open]);
      running.child.stdout?.on("data", () => {
        opening += 1;
      });
      return running;
    });
    await until(() => opening === started.length, "all are about to open it");
    if (content) cached.exec("COMMIT");
    await expect(Promise.all(started)).resolves.toHaveLength(3);
    await using connection = openSqlite("features", file);
    expect(await members(connection, "a")).toHaveLength(3);
  });

  it("migrates a file of an earlier version, and records its content", async () => {
    const file = join(folder, "earlier.db");
    {
      using earlier = new DatabaseSync(file);
      earlier.exec(`${earlierTables}
        INSERT INTO members VALUES ('global_features', 'one'), ('global_features', 'two'), ('location:madrid', 'x');
        INSERT INTO tokens VALUES ('token:1234', '1');`);
    }
    await using connection = openSqlite("features", file);
    expect(await members(connection, "global_features")).toEqual(["one", "two"]);
    expect((await connection.tokenResolver(plainTokenKey()).resolve("1234")).value).toBe("1");
    const { revision } = await add(connection, "global_features", "three");
    const [baseline, change] = await recordsIn(connection);
    expect(baseline).toMatchObject({ origin: "baseline", by: "external", members: ["one", "two"], size: 2 });
    expect(baseline?.revision).toEqual({ epoch: baseline?.id, number: 1 });
    expect(change).toMatchObject({ origin: "change", added: ["three"], size: 3 });
    expect(revision).toEqual({ epoch: baseline?.id, number: 2 });
    expect(await connection.tokenStore(plainTokenKey()).list("1")).toEqual([]);
    expect(await connection.tokenStore(plainTokenKey()).revoke({ ...aChange(), token: "1234" })).toBe("1");
    expect(await connection.index.holders("location:", ["x"])).toEqual([1]);
  });

  it("sees changes of other connections", async () => {
    const file = join(folder, "shared.db");
    await using server = openSqlite("features", file);
    await using commandLine = openSqlite("features", file);
    await add(commandLine, "global_features", "new");
    expect(await members(server, "global_features")).toEqual(["new"]);
  });

  it("has cached fixed keys read again at once after a change by another process, so that no outage undoes a kill", async () => {
    const file = join(folder, "shared.db");
    await using server = openSqlite("features", file);
    await using feed = server.invalidations([]);
    await using commandLine = openSqlite("features", file);
    let reads = 0;
    const read: FeatureSets["read"] = (key, limit) => {
      reads += 1;
      return server.sets.read(key, limit);
    };
    const limits = { capacity: 1_000, expiryMs: 60_000, maxStaleMs: 60_000 };
    const keys = { prefixes: ["killed"], fixed: new Set(["killed"]) };
    const cached = new CachedFeatureSets({ read }, keys, feed, limits, Date.now);
    await cached.read("killed", 10);
    await add(commandLine, "killed", "menu");
    await until(() => reads === 2, "the set is read again");
    expect((await cached.read("killed", 10)).value.features).toEqual(["menu"]);
    expect(reads).toBe(2);
  });

  it("notifies immediately of own records, and soon of those of other connections", async () => {
    await using other = openSqlite("features", file());
    await using outbox = store.connection.outbox();
    let notified = 0;
    outbox.listen(() => {
      notified += 1;
    });
    await add(store.connection, "global_features", "own");
    expect(notified).toBe(1);
    await add(other, "global_features", "others");
    await until(() => notified > 1, "the other's record is notified", 1_000);
    await outbox[Symbol.asyncDispose]();
    const before = notified;
    await add(store.connection, "global_features", "unheard");
    expect(notified).toBe(before);
  });

  it("applies a change again a day after its idempotency key was used", async () => {
    const once = { key: "a", personal: false, add: ["x"], remove: [], idempotencyKey: "name" };
    const first = await store.connection.changes.apply({ ...aChange(), ...once });
    expect(await store.connection.changes.apply({ ...aChange(), ...once })).toEqual(first);
    {
      using other = new DatabaseSync(file());
      other.prepare("UPDATE once SET at = ?").run(Date.now() - 24 * 60 * 60 * 1_000);
    }
    expect(await store.connection.changes.apply({ ...aChange(), ...once })).toMatchObject({
      added: [],
      revision: { number: 3 },
    });
  });

  it("gives a later record no earlier time, even if the clock is set back", async () => {
    const ahead = Date.now() + 3_600_000;
    await add(store.connection, "a", "x");
    {
      using other = new DatabaseSync(file());
      other.prepare("UPDATE heads SET at = ?").run(ahead);
    }
    await add(store.connection, "a", "y");
    await store.connection.changes.rebase({ key: "a", personal: false });
    expect((await recordsIn(store.connection)).slice(2).map(({ at }) => at)).toEqual([ahead, ahead]);
  });

  it("returns no counts of features beyond a number of members", async () => {
    {
      using other = new DatabaseSync(file());
      other.exec(`INSERT INTO members WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 100001)
        SELECT 'features:user:' || i, 'common' FROM n UNION ALL SELECT 'features:user:' || i, 'rare' FROM n LIMIT 100003`);
    }
    expect(await store.connection.index.holders("features:user:", ["common"])).toEqual([undefined]);
    expect(await store.connection.index.holders("features:user:", ["common", "rare"])).toEqual([undefined, 2]);
  });

  it("changes and records nothing on a full disk, and names the file", async () => {
    const file = join(folder, "full.db");
    using database = new DatabaseSync(file);
    prepareSchema(database, "memory");
    const changes = sqliteFeatureStore(database, sqliteJournal(database, file));
    await add({ changes }, "a", "before");
    const { page_count: pages } = database.prepare("PRAGMA page_count").get() ?? {};
    database.exec(`PRAGMA max_page_count = ${pages}`);
    const much = Array.from({ length: 5_000 }, (_, index) => `feature_${index}`);
    const failed = await add({ changes }, "a", ...much).catch((error) => error);
    expect(failed).toBeInstanceOf(StoreFull);
    expect(failed.message).toContain(file);
    expect(database.isTransaction).toBe(false);
    await using other = openSqlite("features", file);
    expect(await members(other, "a")).toEqual(["before"]);
    expect(await recordsIn(other)).toHaveLength(2);
    expect(await other.changes.revisions(["a"])).toMatchObject([{ number: 2 }]);
    database.exec("PRAGMA max_page_count = 1000000");
    expect((await add({ changes }, "a", ...much)).revision.number).toBe(3);
  });

  it("rejects a change that it cannot record", async () => {
    const { changes, documents, tokenStore, tokenResolver } = store.connection;
    await add(store.connection, "a", "before");
    {
      using other = new DatabaseSync(file());
      other.exec("CREATE TRIGGER refusal BEFORE INSERT ON outbox BEGIN SELECT RAISE(ABORT, 'refused'); END");
    }
    const change = { ...aChange(), idempotencyKey: "name" };
    const failing = [
      changes.apply({ ...change, key: "a", personal: false, add: ["x"], remove: ["before"] }),
      changes.rebase({ key: "a", personal: false }),
      documents.put({ ...change, collection: "c", name: "n", value: 1 }),
      tokenStore(plainTokenKey()).assign({ ...change, token: "1234", userId: "1" }),
    ];
    for (const each of failing) await expect(each).rejects.toThrow("refused");
    {
      using other = new DatabaseSync(file());
      other.exec("DROP TRIGGER refusal");
    }
    expect(await members(store.connection, "a")).toEqual(["before"]);
    expect(await documents.get("c", "n")).toBeUndefined();
    expect((await tokenResolver(plainTokenKey()).resolve("1234")).value).toBeUndefined();
    const { added, revision } = await changes.apply({ ...change, key: "a", personal: false, add: ["x"], remove: [] });
    expect([added, revision.number]).toEqual([["x"], 3]);
  });

  it("names a file that cannot be written", async () => {
    using database = new DatabaseSync(file());
    const changes = sqliteFeatureStore(database, sqliteJournal(database, file()));
    database.exec("PRAGMA query_only = ON");
    await expect(add({ changes }, "a", "x")).rejects.toThrow(`cannot write ${file()}: attempt to write a readonly`);
    expect(await members(store.connection, "a")).toEqual([]);
  });

  it("stores no token in the hashed layout", async () => {
    const file = join(folder, "hashed.db");
    await using connection = openSqlite("users", file);
    const tokens = connection.tokenStore(hashedTokenKey("pepper"));
    await tokens.assign({ ...aChange(), idempotencyKey: "issue", token: "s3cret-token", userId: "1" });
    const written = readFileSync(file, "latin1") + readFileSync(`${file}-wal`, "latin1");
    expect(written).toContain("tokenh:");
    expect(written).not.toContain("s3cret");
  });

  it("returns an entry that is no record unchanged", async () => {
    const id = aChange().id;
    const texts = [
      "{",
      "null",
      '{"of":"set"}',
      `{"of":"token","id":"x","by":"a","at":1,"revision":{"epoch":"e","number":1},"tokenId":"t","userId":"1","origin":"issued"}`,
      `{"of":"token","id":"${id}","by":"a","at":1,"revision":{"epoch":"e","number":1},"tokenId":"t","userId":"1","origin":"issued"}`,
    ];
    {
      using other = new DatabaseSync(file());
      for (const text of texts) other.prepare("INSERT INTO outbox (record) VALUES (?)").run(text);
    }
    await using outbox = store.connection.outbox();
    const entries = await outbox.read(10);
    expect(entries.map(({ text }) => text)).toEqual(texts);
    expect(entries.map(({ records }) => records?.[0]?.id)).toEqual([undefined, undefined, undefined, undefined, id]);
  });

  it("names the connection that cannot open its file, and the fix", () => {
    const file = join(folder, "text");
    writeFileSync(file, "this is no database, and long enough to be seen not to be one".repeat(100));
    expect(() => openSqlite("users", file)).toThrow(SetupFailed);
    expect(() => openSqlite("users", file)).toThrow(
      /connection "users" cannot open .*; make it writable, or name another/,
    );
  });

  it("counts as empty if it has only Tidegate's own data", async () => {
    expect(await store.connection.isEmpty()).toBe(true);
    await store.connection.tokenStore(plainTokenKey()).assign({ ...aChange(), token: "1234", userId: "1" });
    expect(await store.connection.isEmpty()).toBe(false);
  });
});

const add = ({ changes }: { changes: FeatureStore }, key: string, ...features: string[]) =>
  changes.apply({ ...aChange(), key, personal: false, add: features, remove: [] });

const members = async ({ sets }: Connection, key: string) => [...(await sets.read(key, 10_000)).value.features].sort();
