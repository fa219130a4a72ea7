import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { ChangeRecord, SetRecord } from "../../../src/domain/admin/change.ts";
import { StoreDataInvalid, StoreFull } from "../../../src/domain/errors.ts";
import type { Outbox } from "../../../src/domain/events/outbox.ts";
import type { Connection } from "../../../src/infrastructure/connection.ts";
import { bookkeeping } from "../../../src/infrastructure/redis/redis-keys.ts";
import { redisOutbox } from "../../../src/infrastructure/redis/stores/redis-outbox.ts";
import { plainTokenKey } from "../../../src/infrastructure/token-key.ts";
import { emptiesManyLists } from "../../support/many-lists.ts";
import { emptied } from "../../support/redis.ts";
import { isOnPath, startRedisProcess } from "../../support/redis-process.ts";
import { aChange, changeOf, connectPatiently, recordsIn, redisStore } from "../../support/stores.ts";
import { TcpProxy } from "../../support/tcp-proxy.ts";
import { until } from "../../support/until.ts";

const active = { key: "active_features", personal: false };

const setsIn = (records: readonly ChangeRecord[], key = active.key) =>
  records.filter((record): record is SetRecord => record.of === "set" && record.key === key);

/** The records of a set, each on one line. */
const notified = async (connection: Connection, key = active.key) =>
  setsIn(await recordsIn(connection), key).map(({ origin, revision }) => `${origin} ${revision.number}`);

describe("a change in Redis", () => {
  let store: Awaited<ReturnType<typeof redisStore>>;
  let connection: Connection;
  beforeAll(async () => {
    store = await redisStore();
    connection = store.connection;
  });
  afterAll(() => store[Symbol.asyncDispose]());
  beforeEach(() => emptied(store.server.client));

  it("takes one round trip, including its record", async () => {
    await using proxy = await TcpProxy.to(store.server.port);
    await using near = await connectPatiently(`redis://127.0.0.1:${proxy.port}`);
    await near.changes.apply(changeOf(active.key, { add: ["known"] }));
    const before = proxy.sent.length;
    await near.changes.apply({ ...changeOf(active.key, { add: ["a", "b"], remove: ["c"] }), idempotencyKey: "name" });
    expect(proxy.sent.length - before).toBe(1);
    expect(proxy.sent.at(-1)).toContain("evalsha");
  });

  it("works on a server that has lost the scripts", async () => {
    await connection.changes.apply(changeOf(active.key, { add: ["a"] }));
    await store.server.client.script("FLUSH");
    const both = ["b", "c"].map((feature) => connection.changes.apply(changeOf(active.key, { add: [feature] })));
    expect((await Promise.all(both)).map(({ added }) => added)).toEqual([["b"], ["c"]]);
  });

  it("is recorded once if made with redis-cli, even with concurrent reconciliations", async () => {
    const { client } = store.server;
    await using other = await connectPatiently(store.server.url);
    const both = [connection, other];
    await connection.changes.reconcile(active);
    let found = 0;
    let edits = 0;
    const look = async ({ changes }: Connection) => {
      while (edits < 200) if (await changes.reconcile(active)) found += 1;
    };
    const edit = async () => {
      for (; edits < 200; edits++) {
        const feature = `feature_${edits % 7}`;
        await (edits % 3 ? client.sadd(active.key, feature) : client.srem(active.key, feature));
      }
    };
    await Promise.all([edit(), ...both.map(look), ...both.map(look)]);
    if (await connection.changes.reconcile(active)) found += 1;
    const records = setsIn(await recordsIn(connection));
    expect(records.filter(({ origin }) => origin === "external")).toHaveLength(found);
    expect(found).toBeGreaterThan(10);
    expect(records.map(({ revision }) => revision.number)).toEqual(
      Array.from({ length: found + 1 }, (_, at) => at + 1),
    );
    let set = new Set<string>();
    for (const { added, removed } of records) {
      expect(added.some((feature) => set.has(feature)) || removed.some((feature) => !set.has(feature))).toBe(false);
      set = set.union(new Set(added)).difference(new Set(removed));
    }
    expect([...set].sort()).toEqual((await client.smembers(active.key)).sort());
  });

  it("is applied once per idempotency key, even if two processes send it concurrently", async () => {
    await using other = await connectPatiently(store.server.url);
    const tries = Array.from({ length: 20 }, (_, index) =>
      [connection, other][index % 2]?.changes.apply({
        ...changeOf(active.key, { add: [`feature_${index}`] }),
        idempotencyKey: "name",
      }),
    );
    const answers = await Promise.all(tries);
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(await store.server.client.scard(active.key)).toBe(1);
    expect(await notified(connection)).toEqual(["baseline 1", "change 2"]);
    const { once } = bookkeeping(active.key);
    expect(await store.server.client.ttl(once("name"))).toBeGreaterThan(86_000);
  });

  it("is recorded with the clock's time, but never earlier than the last record", async () => {
    await connection.changes.apply(changeOf(active.key, { add: ["a"] }));
    const ahead = Date.now() + 3_600_000;
    const { head } = bookkeeping(active.key);
    const parts = (await store.server.client.get(head))?.split(" ") ?? [];
    await store.server.client.set(head, parts.with(2, `${ahead}`).join(" "));
    await connection.changes.apply(changeOf(active.key, { add: ["b"] }));
    await connection.changes.rebase(active);
    expect(setsIn(await recordsIn(connection)).map(({ at }) => at === ahead)).toEqual([false, false, true, true]);
  });

  it.each([
    ["the set", active.key, false],
    ["its head", bookkeeping(active.key).head, true],
    ["its shadow", bookkeeping(active.key).shadow, true],
    ["its outbox", bookkeeping(active.key).outbox, true],
    ["the result of its key", bookkeeping(active.key).once("name"), false],
  ])("is rejected without a record if %s is of another type", async (_, key, isRecorded) => {
    const { client } = store.server;
    if (isRecorded) await client.sadd(active.key, "a");
    await (key === active.key || isRecorded ? client.set(key, "text") : client.sadd(key, "text"));
    const before = await Promise.all((await client.keys("*")).sort().map((each) => client.dumpBuffer(each)));
    const change = { ...changeOf(active.key, { add: ["x"] }), idempotencyKey: "name" };
    await expect(connection.changes.apply(change)).rejects.toBeInstanceOf(StoreDataInvalid);
    await expect(connection.changes.apply({ ...change, urgent: true })).rejects.toBeInstanceOf(StoreDataInvalid);
    if (!key.includes(":once:")) {
      await expect(connection.changes.reconcile(active)).rejects.toBeInstanceOf(StoreDataInvalid);
    }
    const after = await Promise.all((await client.keys("*")).sort().map((each) => client.dumpBuffer(each)));
    expect(after).toEqual(before);
  });

  it("is rejected for a key with braces, which could not be recorded", async () => {
    await expect(connection.changes.apply(changeOf("a{b}c", { add: ["x"] }))).rejects.toThrow(
      /a\{b\}c: .*rename the key/,
    );
    expect(await store.server.client.exists("a{b}c")).toBe(0);
  });

  it("omits members from its record that are not UTF-8 or longer than a key may be", async () => {
    const bad = [
      [0xff, 0xfe],
      [0xc0, 0xaf],
      [0xe0, 0x80, 0xaf],
      [0xed, 0xa0, 0x80],
      [0xf0, 0x80, 0x80, 0xaf],
      [0xf4, 0x90, 0x80, 0x80],
      [0xf5, 0x80, 0x80, 0x80],
      [0x61, 0x80],
      [0xe2, 0x82],
      [0xc3, 0xc3, 0xbc, 0xbc],
    ].map((codes) => Buffer.from(codes));
    bad.push(Buffer.from("\u{40000}".repeat(513)));
    const good = ["ascii", "ü", "€", "機能", "\u07ff", "\ud7ff", "\ue000", "\uffff", "\u{10000}", "\u{10ffff}"];
    good.push("\u{40000}".repeat(512));
    await store.server.client.sadd(active.key, ...bad, ...good);
    await connection.changes.reconcile(active);
    await store.server.client.sadd(active.key, Buffer.from([0xfe]), "more");
    await connection.changes.reconcile(active);
    const [baseline, external] = setsIn(await recordsIn(connection));
    expect(baseline?.members?.toSorted()).toEqual(good.toSorted());
    expect([baseline?.size, external?.size, external?.added]).toEqual([22, 24, ["more"]]);
  });

  it("is detected by the size of a very large set, and by members again once it is smaller", async () => {
    const { client } = store.server;
    const { head, shadow } = bookkeeping(active.key);
    const features = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, index) => `feature_${from + index}`);
    await client.sadd(active.key, ...features(0, 9_999));
    await connection.changes.reconcile(active);
    await connection.changes.apply(changeOf(active.key, { add: ["one", "two"] }));
    expect([await client.exists(shadow), (await client.get(head))?.split(" ").at(-1)]).toEqual([0, "10001:"]);
    expect(await connection.changes.reconcile(active)).toBe(false);
    await client.sadd(active.key, "three");
    expect(await connection.changes.reconcile(active)).toBe(true);
    const { added } = await connection.changes.apply(changeOf(active.key, { remove: features(0, 5_000) }));
    expect([added, await client.scard(shadow), (await client.get(head))?.split(" ").at(-1)]).toEqual([[], 5_002, ""]);
    await client.sadd(active.key, ...features(0, 5_000));
    expect(await connection.changes.reconcile(active)).toBe(true);
    const records = setsIn(await recordsIn(connection));
    expect(records.map((each) => [each.origin, each.added.length, each.removed.length, each.size])).toEqual([
      ["baseline", 0, 0, 9_999],
      ["change", 2, 0, 10_001],
      ["external", 0, 0, 10_002],
      ["change", 0, 5_000, 5_002],
      ["external", 0, 0, 10_002],
    ]);
  });

  it("starts an epoch after a flush", async () => {
    const { revision } = await connection.changes.apply(changeOf(active.key, { add: ["a"] }));
    await store.server.client.flushall();
    const next = await connection.changes.apply(changeOf(active.key, { add: ["b"] }));
    expect(next.revision).toEqual({ epoch: expect.any(String), number: 2 });
    expect(next.revision.epoch).not.toBe(revision.epoch);
    expect(setsIn(await recordsIn(connection))[0]).toMatchObject({ origin: "baseline", members: [], size: 0 });
  });

  describe("changes of tokens", () => {
    const tokens = () => connection.tokenStore(plainTokenKey());

    it("expose a token in no key but its own", async () => {
      await tokens().assign({ ...aChange(), idempotencyKey: "name", token: "s3cret", userId: "1" });
      const keys = await store.server.client.keys("*");
      expect(keys.filter((key) => key.includes("s3cret"))).toEqual(["token:s3cret"]);
    });

    it("omit externally deleted tokens from the list", async () => {
      const changes = ["kept", "deleted", "moved"].map((token) => ({ ...aChange(), token, userId: "1" }));
      for (const change of changes) await tokens().assign(change);
      await store.server.client.del("token:deleted");
      await store.server.client.set("token:moved", "2");
      expect((await tokens().list("1")).map(({ id }) => id)).toEqual([changes[0]?.id]);
      for (const { id: tokenId } of changes.slice(1)) {
        expect(await tokens().revoke({ ...aChange(), tokenId, userId: "1" })).toBeUndefined();
      }
      expect(await store.server.client.get("token:moved")).toBe("2");
    });

    it("separate users whose ids have a common prefix", async () => {
      for (const userId of ["1", "10", "1 0", "1~"]) {
        await tokens().assign({ ...aChange(), token: Buffer.from(userId).toString("hex"), userId });
      }
      expect(await tokens().list("1")).toHaveLength(1);
    });
  });

  it("accepts special names of documents", async () => {
    const { documents } = connection;
    for (const name of ["__proto__", "constructor", "a"]) {
      await documents.put({ ...aChange(), collection: "odd", name, value: name });
    }
    expect([...(await documents.all("odd"))].map(([name, { value }]) => [name, value])).toEqual([
      ["__proto__", "__proto__"],
      ["a", "a"],
      ["constructor", "constructor"],
    ]);
  });

  it("is rejected for an invalid document, which is not read either", async () => {
    await store.server.client.hset("tidegate:documents:odd", "a", "text");
    const { documents } = connection;
    await expect(documents.get("odd", "a")).rejects.toBeInstanceOf(StoreDataInvalid);
    await expect(documents.all("odd")).rejects.toBeInstanceOf(StoreDataInvalid);
    const put = documents.put({ ...aChange(), collection: "odd", name: "a", value: 1 });
    await expect(put).rejects.toBeInstanceOf(StoreDataInvalid);
  });

  describe("while Redis is full", () => {
    const fill = async () => {
      await store.server.client.config("SET", "maxmemory-policy", "noeviction");
      await store.server.client.config("SET", "maxmemory", "1");
    };
    const makeRoom = () => store.server.client.config("SET", "maxmemory", "0");
    afterEach(makeRoom);

    it("is rejected as a whole if it is not urgent", async () => {
      await connection.changes.apply(changeOf(active.key, { add: ["a"] }));
      await fill();
      const changes = [
        connection.changes.apply(changeOf(active.key, { add: ["b"], remove: ["a"] })),
        connection.documents.put({ ...aChange(), collection: "some", name: "a", value: 1 }),
        connection.tokenStore(plainTokenKey()).assign({ ...aChange(), token: "1234", userId: "1" }),
        connection.changes.rebase(active),
      ];
      await Promise.all(changes.map((change) => expect(change).rejects.toBeInstanceOf(StoreFull)));
      expect(await notified(connection)).toEqual(["baseline 1", "change 2"]);
      expect(await store.server.client.smembers(active.key)).toEqual(["a"]);
      expect(await store.server.client.keys("t*")).toHaveLength(4);
    });

    it("is applied if it is urgent, with its record and all its keys", async () => {
      await store.put(active.key, ["a", "b"]);
      const killed = { key: "tidegate:killed", urgent: true };
      await fill();
      await connection.changes.apply({ ...changeOf("", { add: ["a"] }), ...killed, idempotencyKey: "kill" });
      await connection.changes.apply({ ...changeOf("", { add: ["a"] }), ...killed, idempotencyKey: "kill" });
      const removal = { ...changeOf(active.key, { remove: ["a"] }), personal: true, urgent: true };
      expect((await connection.changes.apply(removal)).removed).toEqual(["a"]);
      expect(await store.server.client.smembers(killed.key)).toEqual(["a"]);
      expect(await notified(connection, killed.key)).toEqual(["baseline 1", "change 2"]);
      expect(await notified(connection)).toEqual(["baseline 1", "change 2"]);
    });

    it("is relayed by the holder of the lease, which frees memory", async () => {
      await connection.changes.apply(changeOf(active.key, { add: ["a"] }));
      await fill();
      const [one, other] = [connection.lease("full"), connection.lease("full")];
      expect([await one.hold(), await one.hold(), await other.hold()]).toEqual([true, true, false]);
      await one.release();
      await using outbox = connection.outbox();
      const entries = await outbox.read(10);
      expect(entries).toHaveLength(2);
      await outbox.remove(entries);
      expect(await store.server.client.keys("tidegate:outbox:*")).toEqual([]);
    });

    it("is applied if it removes a token or a document", async () => {
      const tokens = connection.tokenStore(plainTokenKey());
      const document = { collection: "some", name: "a" };
      await tokens.assign({ ...aChange(), token: "1234", userId: "1" });
      await connection.documents.put({ ...aChange(), ...document, value: 1 });
      await fill();
      expect(await tokens.revoke({ ...aChange(), token: "1234" })).toBe("1");
      expect((await connection.documents.put({ ...aChange(), ...document, value: null })).before).toBe(1);
      expect((await recordsIn(connection)).filter(({ revision }) => revision.number === 2)).toHaveLength(2);
    });
  });
});

describe("an outbox in Redis", () => {
  let store: Awaited<ReturnType<typeof redisStore>>;
  beforeAll(async () => {
    store = await redisStore();
  });
  afterAll(() => store[Symbol.asyncDispose]());
  beforeEach(() => emptied(store.server.client));

  const ids = async (outbox: Outbox) =>
    (await outbox.read(1_000)).flatMap(({ records = [] }) => records.map(({ id }) => id));

  it("is read within a second if Redis rejects tracking", async () => {
    await store.server.client.acl("SETUSER", "untracked", "on", ">secret", "~*", "+@all", "-client|tracking");
    await using connection = await connectPatiently(store.server.url.replace("redis://", "redis://untracked:secret@"));
    await using outbox = connection.outbox();
    let read: readonly string[] = [];
    outbox.listen(async () => {
      read = await ids(outbox);
    });
    for (let round = 0; round < 3; round++) {
      const change = changeOf(`set:${round}`, { add: ["a"] });
      await store.connection.changes.apply(change);
      await until(() => read.includes(change.id), "the change is read");
    }
  });

  it("is read again after its connections were lost", async () => {
    await using proxy = await TcpProxy.to(store.server.port);
    await using connection = await connectPatiently(`redis://127.0.0.1:${proxy.port}`);
    await using outbox = connection.outbox();
    let calls = 0;
    outbox.listen(() => {
      calls += 1;
    });
    await until(() => calls > 0, "its feed begins");
    expect(await ids(outbox)).toEqual([]);
    proxy.cut();
    await expect(outbox.backlog().then(() => outbox.read(1))).resolves.toEqual([]);
    const change = changeOf("set:a", { add: ["a"] });
    await store.connection.changes.apply(change);
    const before = calls;
    proxy.heal();
    await until(() => calls > before, "its feed begins again");
    await until(async () => (await ids(outbox).catch((): string[] => [])).includes(change.id), "the change is read");
  });

  it("is not blocked by a key that is no list or an entry that is no text", async () => {
    const { client } = store.server;
    await using outbox = store.connection.outbox();
    let calls = 0;
    outbox.listen(() => {
      calls += 1;
    });
    await until(() => calls > 0, "its feed begins");
    await outbox.read(1);
    await client.set("tidegate:outbox:{text}", "text");
    await client.rpush("tidegate:outbox:{bytes}", Buffer.from([0xff, 0x7b]));
    await until(() => calls > 2, "both are notified");
    const change = changeOf("set:a", { add: ["a"] });
    await store.connection.changes.apply(change);
    await until(async () => (await ids(outbox)).includes(change.id), "the change is read");
    const entries = await outbox.read(10);
    const spoilt = entries.filter(({ records }) => !records);
    expect(spoilt.map(({ text }) => text)).toEqual(["\ufffd{"]);
    expect((await outbox.backlog()).entries).toBe(3);
    await outbox.remove(spoilt);
    expect(await client.exists("tidegate:outbox:{bytes}")).toBe(0);
  });

  it("misses no entry that is added during a read", async () => {
    await using outbox = store.connection.outbox();
    const read = new Set<string>();
    let rounds = Promise.resolve();
    let isOver = false;
    const take = async () => {
      const entries = await outbox.read(10);
      for (const { records = [] } of entries) for (const { id } of records) read.add(id);
      await outbox.remove(entries);
      if (entries.length > 0) await take();
    };
    outbox.listen(() => {
      if (!isOver) rounds = rounds.then(take);
    });
    const changes = Array.from({ length: 2_000 }, (_, index) => changeOf(`set:${index % 5}`, { add: ["a"] }));
    for (const change of changes) await store.connection.changes.apply(change);
    await until(() => changes.every(({ id }) => read.has(id)), "all are read");
    isOver = true;
    await rounds;
  });

  it("keeps a list that gets an entry between a read that finds it empty and its removal", async () => {
    const { client, port } = store.server;
    await using proxy = await TcpProxy.to(port);
    await using connection = await connectPatiently(`redis://127.0.0.1:${proxy.port}`);
    await using outbox = connection.outbox();
    let calls = 0;
    outbox.listen(() => {
      calls += 1;
    });
    await until(() => calls > 0, "its feed begins");
    await outbox.read(1);
    const list = bookkeeping(active.key).outbox;
    await client.rpush(list, "gone");
    await client.del(list);
    await until(() => calls > 1, "the list is notified");
    // The feed sends no INFO, so its invalidation does not wait.
    proxy.delay(150, "info");
    const reading = outbox.read(10);
    await until(() => proxy.sent.at(-1)?.includes("lrange") === true, "the empty list is read");
    const before = calls;
    const change = changeOf(active.key, { add: ["a"] });
    await store.connection.changes.apply(change);
    await until(() => calls > before, "it is notified again");
    proxy.heal();
    const read = [...(await reading), ...(await outbox.read(10))];
    expect(read.flatMap(({ records = [] }) => records.map(({ id }) => id))).toContain(change.id);
  });

  it("returns the revocation of a token after its load, despite different lists, and other tokens meanwhile", async () => {
    const { connection } = store;
    const tokens = connection.tokenStore(plainTokenKey());
    const load = (from: number) =>
      tokens.load({
        by: "loader",
        load: "some",
        from,
        to: from + 1,
        items: [{ token: `t-${from}`, userId: `loaded-${from}` }],
      });
    for (let from = 0; from < 10; from++) await load(from);
    await tokens.assign({ ...aChange(), token: "other", userId: "other" });
    await tokens.revoke({ ...aChange(), token: "t-9" });
    await using outbox = connection.outbox();
    const notified: string[] = [];
    for (let entries = await outbox.read(1); entries.length > 0; entries = await outbox.read(1)) {
      const records = entries.flatMap((entry) => entry.records ?? []);
      notified.push(
        ...records.flatMap((record) => (record.of === "token" ? [`${record.userId} ${record.origin}`] : [])),
      );
      await outbox.remove(entries);
    }
    expect(notified).toHaveLength(12);
    expect(notified.indexOf("other issued")).toBeLessThan(3);
    expect(notified.indexOf("loaded-9 issued")).toBeLessThan(notified.indexOf("loaded-9 revoked"));
  });

  it.each([
    ["no JSON", "{"],
    ["of another shape", '{"at":1,"size":1,"sets":[]}'],
  ])("returns an entry of a load that is no record unchanged, and the entries after it (%s)", async (_, text) => {
    const { connection, server } = store;
    await connection.changes.load({
      by: "loader",
      load: "some",
      from: 0,
      to: 1,
      items: [{ key: "set:a", personal: true, features: ["a"], limit: 9 }],
    });
    const [key = ""] = await server.client.keys("tidegate:outbox:load:*");
    await server.client.set(key, text);
    await connection.changes.apply({ ...changeOf("set:a", { add: ["b"] }), personal: true });
    await using outbox = connection.outbox();
    const entries = await outbox.read(10);
    expect(entries.map((entry) => [entry.text, entry.records])).toEqual([[text, undefined]]);
    await outbox.remove(entries);
    const after = (await outbox.read(10)).flatMap(({ records = [] }) => records);
    expect(after.map(({ revision }) => revision.number)).toEqual([2]);
    await server.client.lpush("tidegate:outbox:load:list", "of another type");
    expect((await outbox.read(10)).flatMap(({ records = [] }) => records)).toHaveLength(1);
  });

  it("is read in smaller batches if its content takes long to transfer", async () => {
    const { client, url } = store.server;
    for (let index = 0; index < 40; index++) {
      await client.rpush(`tidegate:outbox:{${index}}`, "x".repeat(1_000_000));
    }
    const hurried = new Redis(url, { commandTimeout: 50 });
    const feed = store.connection.invalidations(["tidegate:outbox:"]);
    await using outbox = redisOutbox(hurried, feed);
    await expect(outbox.read(100)).rejects.toThrow("timed out");
    let taken = 0;
    const take = async () => {
      const entries = await outbox.read(100).catch(() => []);
      taken += entries.length;
      await outbox.remove(entries).catch(() => {});
      return (await client.dbsize()) === 1;
    };
    await until(take, "all is taken");
    expect(taken).toBeGreaterThanOrEqual(40);
    hurried.disconnect();
  });

  it("does not count entries that another process has removed", async () => {
    await using outbox = store.connection.outbox();
    await using other = store.connection.outbox();
    const users = 500;
    for (let user = 0; user < users; user++) {
      await store.connection.changes.apply({ ...changeOf(`features:user:${user}`, { add: ["a"] }), personal: true });
    }
    await until(async () => (await other.backlog()).entries >= users, "both are reported");
    await until(async () => (await outbox.backlog()).entries >= users, "both are reported");
    const taken = await other.read(10_000);
    await other.remove(taken);
    expect(taken).toHaveLength(2 * users);
    expect(await outbox.backlog()).toEqual({ entries: 0, oldest: undefined });
  });

  // `make soak` uses as many lists as in production.
  it("is emptied of entries in more lists than it tracks", () =>
    emptiesManyLists(store, { lists: 1_500, maxTracked: 1_000 }));
});

describe.runIf(isOnPath())("over restarts of Redis", () => {
  const folder = () => mkdtempSync(join(tmpdir(), "tidegate-aof-"));
  const persistent = (dir: string) => ["--dir", dir, "--appendonly", "yes", "--appendfsync", "always"];

  /** Runs an action on a server of its own. */
  async function served<T>(dir: string, task: (connection: Connection, client: Redis) => Promise<T>): Promise<T> {
    const { url, stop } = await startRedisProcess(...persistent(dir));
    const client = new Redis(url);
    try {
      await using connection = await connectPatiently(url);
      return await task(connection, client);
    } finally {
      client.disconnect();
      await stop();
    }
  }

  const user = { key: "features:user:1", personal: true };

  it("assign no revision twice, even after a restore of an older copy", async () => {
    const [before, after] = [folder(), folder()];
    const tokens = (connection: Connection) => connection.tokenStore(plainTokenKey());
    const issue = { ...aChange(), token: "1234", userId: "1" };
    const change = async (connection: Connection) => {
      for (const set of [active, user]) {
        await connection.changes.apply({ ...changeOf("", { add: [aChange().id] }), ...set });
      }
      await connection.documents.put({ ...aChange(), collection: "some", name: "a", value: 1 });
    };
    const drained = async (connection: Connection) => {
      const records = await recordsIn(connection);
      await using outbox = connection.outbox();
      await outbox.remove(await outbox.read(1_000));
      return records;
    };
    const first = await served(before, async (connection) => {
      await change(connection);
      await tokens(connection).assign(issue);
      return drained(connection);
    });
    cpSync(before, after, { recursive: true });
    const lost = await served(before, async (connection) => {
      for (let round = 0; round < 3; round++) await change(connection);
      await tokens(connection).revoke({ ...aChange(), token: "1234" });
      return drained(connection);
    });
    const restored = await served(after, async (connection) => {
      for (let round = 0; round < 5; round++) await change(connection);
      expect(await tokens(connection).revoke({ ...aChange(), tokenId: issue.id, userId: "1" })).toBe("1");
      return drained(connection);
    });
    const all = [...first, ...lost, ...restored];
    const name = (record: ChangeRecord) =>
      record.of === "set" ? record.key : record.of === "document" ? record.name : record.tokenId;
    const numbers = all.map((each) => `${each.of} ${name(each)} ${each.revision.epoch} ${each.revision.number}`);
    expect(numbers).toHaveLength(6 + 12 + 18);
    expect(new Set(numbers).size).toBe(numbers.length);
    for (const records of [first, lost, restored]) {
      for (const [key, those] of Map.groupBy(setsIn(records, active.key), ({ key }) => key)) {
        expect([key, those[0]?.origin]).toEqual([active.key, "baseline"]);
        expect(those.map(({ revision }) => revision.number)).toEqual(those.map((_, index) => index + 1));
      }
    }
    for (const dir of [before, after]) rmSync(dir, { recursive: true });
  });

  it("records only the users' sets that differ", async () => {
    const dir = folder();
    await served(dir, async ({ changes }, client) => {
      await client.sadd(active.key, "a");
      await client.sadd(user.key, "a");
      for (const set of [active, user]) await changes.reconcile(set);
    });
    await served(dir, async (connection, client) => {
      const { changes } = connection;
      expect(await changes.reconcile(active)).toBe(true);
      expect(await changes.reconcile(active)).toBe(false);
      expect(await changes.reconcile(user)).toBe(false);
      await client.sadd(user.key, "b");
      expect(await changes.reconcile(user)).toBe(true);
      expect(await changes.reconcile(user)).toBe(false);
      expect(await notified(connection)).toEqual(["baseline 1", "baseline 1"]);
      const [first, second] = setsIn(await recordsIn(connection), user.key);
      expect([second?.origin, second?.members?.toSorted()]).toEqual(["baseline", ["a", "b"]]);
      expect(second?.revision.epoch).not.toBe(first?.revision.epoch);
    });
    rmSync(dir, { recursive: true });
  });

  it("runs the scripts on sets and documents on a cluster node", async () => {
    const { url, stop } = await startRedisProcess("--cluster-enabled", "yes");
    const client = new Redis(url);
    await client.cluster("ADDSLOTSRANGE", 0, 16_383);
    await until(
      async () => /cluster_state:ok/.test(String(await client.call("CLUSTER", "INFO"))),
      "the cluster is ready",
    );
    await using connection = await connectPatiently(url);
    const { added } = await connection.changes.apply({ ...changeOf(active.key, { add: ["a"] }), idempotencyKey: "a" });
    expect(added).toEqual(["a"]);
    await connection.documents.put({ ...aChange(), collection: "some", name: "a", value: 1, idempotencyKey: "a" });
    expect(await recordsIn(connection)).toHaveLength(3);
    const batch = { by: "loader", load: "some", from: 0, to: 2 };
    const sets = ["set:a", "set:b", "set:c"].map((key) => ({ key, personal: true, features: ["a", "b"], limit: 2 }));
    for (let times = 0; times < 2; times++)
      expect((await connection.changes.load({ ...batch, items: sets })).position).toBe(2);
    expect((await recordsIn(connection)).filter(({ by }) => by === "loader")).toHaveLength(3);
    const tooMany = sets.map((set) => ({ ...set, features: ["c"] }));
    await expect(connection.changes.load({ ...batch, from: 2, to: 3, items: tooMany })).rejects.toThrow("more than 2");
    const documents = ["a", "b"].map((name) => ({ collection: "some", name, value: 2 }));
    expect((await connection.documents.load({ ...batch, load: "other", items: documents })).position).toBe(2);
    expect((await connection.documents.all("some")).size).toBe(2);
    client.disconnect();
    await stop();
  });
});
