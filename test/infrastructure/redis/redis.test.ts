import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { StoreDataInvalid } from "../../../src/domain/errors.ts";
import { CachedFeatureRegister } from "../../../src/infrastructure/cache/cached-feature-register.ts";
import { CachedFeatureSets } from "../../../src/infrastructure/cache/cached-feature-sets.ts";
import { CachedRules } from "../../../src/infrastructure/cache/cached-rules.ts";
import { CachedTokenResolver } from "../../../src/infrastructure/cache/cached-token-resolver.ts";
import { CachedValues } from "../../../src/infrastructure/cache/cached-values.ts";
import type { Connection } from "../../../src/infrastructure/connection.ts";
import { createLog } from "../../../src/infrastructure/logger.ts";
import { EmptyStoreGuard } from "../../../src/infrastructure/redis/empty-store-guard.ts";
import { connectRedis } from "../../../src/infrastructure/redis/redis-connection.ts";
import { FilledStores } from "../../../src/infrastructure/stores/filled-stores.ts";
import { collectionKey, registerKey } from "../../../src/infrastructure/stores/store-keys.ts";
import { hashedTokenKey, plainTokenKey } from "../../../src/infrastructure/token-key.ts";
import { documentStoreContract } from "../../contracts/document-store.contract.ts";
import { featureRegisterContract } from "../../contracts/feature-register.contract.ts";
import { featureSetsContract } from "../../contracts/feature-sets.contract.ts";
import { externalChangesContract, featureStoreContract } from "../../contracts/feature-store.contract.ts";
import { idempotencyKeysContract } from "../../contracts/idempotency-keys.contract.ts";
import {
  documentLoadContract,
  externalLoadContract,
  setLoadContract,
  tokenLoadContract,
} from "../../contracts/load.contract.ts";
import { outboxContract } from "../../contracts/outbox.contract.ts";
import { contractCollections, rulesContract } from "../../contracts/rules.contract.ts";
import { secretsContract } from "../../contracts/secrets.contract.ts";
import { setIndexContract } from "../../contracts/set-index.contract.ts";
import { storedValuesContract } from "../../contracts/stored-values.contract.ts";
import { tokenResolverContract } from "../../contracts/token-resolver.contract.ts";
import { tokenStoreContract } from "../../contracts/token-store.contract.ts";
import { emptied } from "../../support/redis.ts";
import { aChange, changeOf, connectPatiently, recording, recordsIn, redisStore } from "../../support/stores.ts";
import { TcpProxy } from "../../support/tcp-proxy.ts";
import { until } from "../../support/until.ts";

describe("Redis", () => {
  let store: Awaited<ReturnType<typeof redisStore>>;
  beforeAll(async () => {
    store = await redisStore();
  });
  afterAll(() => store[Symbol.asyncDispose]());
  beforeEach(() => emptied(store.server.client));

  featureSetsContract(() => ({ sets: store.connection.sets, put: store.put }));

  const spoil = async (collection: string, name: string) =>
    void (await store.server.client.hset(collectionKey(collection), name, "no document"));
  rulesContract(async () => ({ ...store.connection, spoil }));

  secretsContract(async () => store.connection.secrets);

  featureRegisterContract(async () => ({
    register: store.connection.register,
    setDay: async (key, day) => void (await store.server.client.zadd(registerKey, day, key)),
  }));

  describe("a cached register", () => {
    const feeds: AsyncDisposable[] = [];
    afterEach(async () => {
      for (const feed of feeds.splice(0)) await feed[Symbol.asyncDispose]();
    });

    it("includes keys that another process adds", async () => {
      const feed = store.connection.invalidations([registerKey]);
      feeds.push(feed);
      await until(() => feed.isLive(Date.now()), "the feed is live");
      const limits = { capacity: 1_000, expiryMs: 60_000, maxStaleMs: 60_000 };
      const register = new CachedFeatureRegister(store.connection.register, registerKey, feed, limits, Date.now);
      expect([...(await register.read()).value]).toEqual([]);
      await store.connection.register.add(["a"]);
      await until(async () => (await register.read()).value.has("a"), "the key is known");
      expect(register.read()).not.toBeInstanceOf(Promise);
    });
  });

  describe("cached rules", () => {
    const feeds: AsyncDisposable[] = [];
    afterEach(async () => {
      for (const feed of feeds.splice(0)) await feed[Symbol.asyncDispose]();
    });

    rulesContract(async () => {
      const feed = store.connection.invalidations(contractCollections.map(collectionKey));
      feeds.push(feed);
      const limits = { capacity: 1_000, expiryMs: 60_000, maxStaleMs: 60_000 };
      const { documents, rules } = store.connection;
      await until(() => feed.isLive(Date.now()), "the feed is live");
      const collections = new Set(contractCollections);
      return { rules: new CachedRules(rules, collections, feed, limits, Date.now), documents, spoil };
    });
  });

  describe("cached sets", () => {
    const limits = { capacity: 1_000, expiryMs: 60_000, maxStaleMs: 60_000 };
    let feed: ReturnType<typeof store.connection.invalidations>;
    beforeAll(() => {
      feed = store.connection.invalidations([""]);
    });
    afterAll(() => feed[Symbol.asyncDispose]());

    featureSetsContract(() => ({
      sets: new CachedFeatureSets(store.connection.sets, { prefixes: [""], fixed: new Set() }, feed, limits, Date.now),
      put: store.put,
    }));
    it("are read once for sources with different limits, each of which applies its own", async () => {
      const sets = new CachedFeatureSets(
        store.connection.sets,
        { prefixes: [""], fixed: new Set() },
        feed,
        limits,
        Date.now,
      );
      await sets.read("other", 1_000);
      await store.put("shared", ["a", "b", "c"]);
      const [strict, lenient] = await Promise.allSettled([sets.read("shared", 2), sets.read("shared", 1_000)]);
      expect([strict.status, lenient.status]).toEqual(["rejected", "fulfilled"]);
    });

    it("are not cached without a watch", async () => {
      const keys = { prefixes: ["watched:"], fixed: new Set<string>() };
      const sets = new CachedFeatureSets(store.connection.sets, keys, feed, limits, Date.now);
      await sets.read("unwatched", 10);
      await store.put("unwatched", ["new"]);
      const cached = await sets.read("unwatched", 10);
      expect([cached.value.features, cached.isCurrent(Date.now())]).toEqual([["new"], false]);
    });

    storedValuesContract(() => ({
      values: new CachedValues(store.connection.values, feed, limits, Date.now),
      put: store.put,
    }));

    tokenResolverContract(() => {
      const { tokenResolver } = store.connection;
      const key = plainTokenKey();
      const resolver = new CachedTokenResolver(tokenResolver(key), key, feed, limits, Date.now);
      const put = async (token: string, userId: string) => {
        await store.server.client.set(key(token), userId);
        // Another client wrote it: the cache hears of it a moment later.
        const isSeen = async () => {
          try {
            return (await resolver.resolve(token)).value === userId;
          } catch {
            // An invalid user id is read, and rejected.
            return true;
          }
        };
        await until(isSeen, "the cache reads what was written");
      };
      return { resolver, put };
    });
  });

  storedValuesContract(() => ({ values: store.connection.values, put: store.put }));
  featureStoreContract(() => recording(store));
  setIndexContract(() => recording(store));
  externalChangesContract(() => recording(store));
  setLoadContract(() => recording(store));
  externalLoadContract(() => recording(store));
  outboxContract(() => recording(store));
  idempotencyKeysContract(() => store.connection.idempotencyKeys);
  documentStoreContract(() => ({
    documents: store.connection.documents,
    records: () => recordsIn(store.connection),
  }));
  documentLoadContract(() => ({
    documents: store.connection.documents,
    records: () => recordsIn(store.connection),
  }));

  describe.each([
    ["plain", plainTokenKey()],
    ["hashed", hashedTokenKey("pepper")],
  ])("with %s tokens", (_, keyOf) => {
    tokenResolverContract(() => ({
      resolver: store.connection.tokenResolver(keyOf),
      put: async (token, userId) => void (await store.server.client.set(keyOf(token), userId)),
    }));
    tokenStoreContract(() => ({
      store: store.connection.tokenStore(keyOf),
      resolver: store.connection.tokenResolver(keyOf),
      put: async (token, userId) => void (await store.server.client.set(keyOf(token), userId)),
      records: () => recordsIn(store.connection),
    }));
    tokenLoadContract(
      () => ({
        store: store.connection.tokenStore(keyOf),
        resolver: store.connection.tokenResolver(keyOf),
        put: async (token, userId) => void (await store.server.client.set(keyOf(token), userId)),
        records: () => recordsIn(store.connection),
      }),
      (token) => keyOf(token).slice(keyOf.prefix.length),
    );
  });

  it("reads the tokens of the seed's layout", async () => {
    await store.server.client.set("token:1234", "1");
    expect((await store.connection.tokenResolver(plainTokenKey()).resolve("1234")).value).toBe("1");
  });

  it("stores no token in the hashed layout", async () => {
    const tokens = store.connection.tokenStore(hashedTokenKey("pepper"));
    await tokens.assign({ ...aChange(), idempotencyKey: "issue", token: "s3cret-token", userId: "1" });
    const { client } = store.server;
    const [key = "", ...others] = await client.keys("token*");
    expect([key, others]).toEqual([expect.stringMatching(/^tokenh:[A-Za-z0-9_-]{43}$/), []]);
    await client.config("SET", "rdbcompression", "no");
    const keys = await client.keys("*");
    const written = [...keys, ...(await Promise.all(keys.map((each) => client.dumpBuffer(each))))].join("\n");
    expect(written).toContain(key);
    expect(written).not.toContain("s3cret");
  });

  it("stores a token once in the plain layout: in its key", async () => {
    const tokens = store.connection.tokenStore(plainTokenKey());
    const { client } = store.server;
    await tokens.assign({ ...aChange(), idempotencyKey: "issue", token: "s3cret-issued", userId: "1" });
    await tokens.load({ by: "a", load: "l", from: 0, to: 1, items: [{ token: "s3cret-loaded", userId: "1" }] });
    const keys = (await client.keys("*")).sort();
    expect(keys.filter((key) => key.includes("s3cret"))).toEqual(["token:s3cret-issued", "token:s3cret-loaded"]);
    await client.config("SET", "rdbcompression", "no");
    const values = await Promise.all(keys.map((each) => client.dumpBuffer(each)));
    expect(values.join("\n")).not.toContain("s3cret");
    expect(await tokens.list("1")).toHaveLength(2);
    for (const { id } of await tokens.list("1")) {
      expect(await tokens.revoke({ ...aChange(), tokenId: id, userId: "1" })).toBe("1");
    }
    expect(await client.keys("token:*")).toEqual([]);
    expect([await client.hlen("tidegate:tokens"), await client.hlen("tidegate:ids:{tidegate:tokens}")]).toEqual([0, 0]);
  });

  describe("tokens stored by version 0.1", () => {
    const ids = "tidegate:ids:{tidegate:tokens}";
    const issueAsBefore = async () => {
      const tokens = store.connection.tokenStore(plainTokenKey());
      const { client } = store.server;
      const { id } = aChange();
      await client.set("token:s3cret-old", "1");
      const info = { key: "token:s3cret-old", userId: "1", issuedAt: 1, by: "a", run: "" };
      await client.hset("tidegate:tokens", id, JSON.stringify(info));
      await client.hset(ids, "token:s3cret-old", id);
      await client.zadd("tidegate:users:{tidegate:tokens}", 0, `1\0${id}`);
      const kept = async () => JSON.stringify([await client.hgetall("tidegate:tokens"), await client.hgetall(ids)]);
      return { tokens, client, id, kept };
    };

    it("are listed, and revoked by their ids", async () => {
      const { tokens, id, kept } = await issueAsBefore();
      expect(await tokens.list("1")).toEqual([{ id, userId: "1", issuedAt: 1, by: "a" }]);
      expect(await tokens.revoke({ ...aChange(), tokenId: id, userId: "1" })).toBe("1");
      expect(await kept()).toBe("[{},{}]");
    });

    it("are revoked by value", async () => {
      const { tokens, kept } = await issueAsBefore();
      expect(await tokens.revoke({ ...aChange(), token: "s3cret-old" })).toBe("1");
      expect(await kept()).toBe("[{},{}]");
    });

    it.each(["assigned", "loaded"])("are stored by digest after they are %s again", async (how) => {
      const { tokens, kept } = await issueAsBefore();
      const item = { token: "s3cret-old", userId: "2" };
      if (how === "assigned") await tokens.assign({ ...aChange(), ...item });
      else await tokens.load({ by: "a", load: "l", from: 0, to: 1, items: [item] });
      expect(await kept()).not.toContain("s3cret");
      expect([await tokens.list("1"), (await tokens.list("2")).length]).toEqual([[], 1]);
    });
  });

  it("omits members that are not UTF-8", async () => {
    await store.server.client.sadd("binary", "good", Buffer.from([0xff, 0xfe, 0x00]));
    expect((await store.connection.sets.read("binary", 10)).value).toEqual({ features: ["good"], invalidMembers: 1 });
    await store.server.client.sadd("lines", "good", "a\nb", "\n", "");
    expect((await store.connection.sets.read("lines", 10)).value).toEqual({ features: ["good"], invalidMembers: 3 });
  });

  it("rejects a key of another type", async () => {
    await store.server.client.set("text", "not a set");
    await expect(store.connection.sets.read("text", 10)).rejects.toBeInstanceOf(StoreDataInvalid);
    await expect(store.connection.changes.apply(changeOf("text", { add: ["x"] }))).rejects.toBeInstanceOf(
      StoreDataInvalid,
    );
    await store.server.client.sadd("token:set", "1");
    await expect(store.connection.tokenResolver(plainTokenKey()).resolve("set")).rejects.toBeInstanceOf(
      StoreDataInvalid,
    );
  });

  // `make soak` has a million members.
  it("detects a set beyond the limit without reading it all", async () => {
    await store.server.client.sadd("large", ...Array.from({ length: 50_000 }, (_, index) => `feature_${index}`));
    await using proxy = await TcpProxy.to(store.server.port);
    await using connection = await connectPatiently(`redis://127.0.0.1:${proxy.port}`);
    await expect(connection.sets.read("large", 1_000)).rejects.toBeInstanceOf(StoreDataInvalid);
    expect(proxy.bytesAnswered).toBeLessThan(100_000);
  });

  it("reads in one round trip per turn of the event loop", async () => {
    await using proxy = await TcpProxy.to(store.server.port);
    await using connection = connectRedis("store", `redis://127.0.0.1:${proxy.port}`, createLog("silent"));
    await connection.connected();
    const before = proxy.sent.length;
    await Promise.all(["a", "b", "c", "d", "e"].map((key) => connection.sets.read(key, 10_000)));
    expect(proxy.sent.length - before).toBe(1);
  });

  it("omits Redis' message from its error if it repeats the token", async () => {
    await store.server.client.acl("SETUSER", "reader", "on", ">secret", "~*", "+@connection", "+info");
    const url = store.server.url.replace("redis://", "redis://reader:secret@");
    await using connection = connectRedis("store", url, createLog("silent"));
    await connection.connected();
    const failure = Promise.resolve(connection.tokenResolver(plainTokenKey()).resolve("canary-token"));
    await expect(failure).rejects.toThrow();
    await failure.catch((error) => expect(JSON.stringify([error, error.message, error.stack])).not.toContain("canary"));
  });

  describe("a Redis that lost its data", () => {
    const marker = "tidegate:store";
    const logged: string[] = [];
    const log = createLog("warn", { write: (line) => void logged.push(line) });
    const read = async (connection: Connection, key = "filled") => (await connection.sets.read(key, 10)).value.features;
    beforeEach(async () => {
      logged.length = 0;
      await store.server.client.del(marker);
      await store.put("filled", ["a"]);
    });
    afterEach(() => store.server.client.config("SET", "maxmemory", "0"));

    async function connect(user = ""): Promise<Connection> {
      const connection = connectRedis("store", store.server.url.replace("redis://", `redis://${user}`), log);
      await connection.connected();
      return connection;
    }

    it("is detected by a marker, which is set at the first data and checked after the reads", async () => {
      await using proxy = await TcpProxy.to(store.server.port);
      await using connection = connectRedis("store", `redis://127.0.0.1:${proxy.port}`, log);
      await connection.connected();
      expect(await read(connection, "nothing")).toEqual([]);
      expect(await store.server.client.exists(marker)).toBe(0);
      await Promise.all([read(connection), read(connection, "nothing")]);
      expect(proxy.sent.at(-1)?.match(/evalsha_ro|filled|nothing|tidegate:store/g)).toEqual([
        "evalsha_ro",
        "filled",
        "nothing",
        marker,
      ]);
      await until(async () => (await store.server.client.exists(marker)) === 1, "it is marked");
      expect(await read(connection)).toEqual(["a"]);
      await store.server.client.flushall();
      await expect(read(connection)).rejects.toThrow(
        'connection "store": the store came back empty; restore it, or run npx tidegate stores accept',
      );
      const resolver = connection.tokenResolver(plainTokenKey());
      await expect(resolver.resolve("1234")).rejects.toThrow("came back empty");
      await connection.accept();
      expect(await read(connection)).toEqual([]);
      expect((await resolver.resolve("1234")).value).toBeUndefined();
    });

    it("is read by single commands if the user may run no script, and if a script cannot read a key", async () => {
      const many = Array.from({ length: 1_500 }, (_, index) => `f${index}`);
      await store.put("many", many);
      await store.server.client.set("text", "a");
      await store.server.client.acl(
        "SETUSER",
        "few",
        "on",
        ">few",
        "~filled",
        "~many",
        "~text",
        "+@all",
        "-eval_ro",
        "-evalsha_ro",
      );
      await store.server.client.acl("SETUSER", "some", "on", ">some", "~filled", "~many", "~text", "+@all");
      for (const user of ["", "few:few@", "some:some@"]) {
        await using connection = await connect(user);
        const reads = ["filled", "many", "text", "forbidden"].map((key) => connection.sets.read(key, 2_000));
        const [filled, large, text, forbidden] = await Promise.allSettled(reads);
        expect(filled).toMatchObject({ value: { value: { features: ["a"] } } });
        expect(large).toMatchObject({ value: { value: { features: { length: 1_500 } } } });
        expect(text).toMatchObject({ reason: { message: "text has the wrong type; fix it in Redis" } });
        if (user) expect(forbidden).toMatchObject({ reason: { message: expect.stringContaining("(forbidden)") } });
        else expect(forbidden?.status).toBe("fulfilled");
      }
      await store.server.client.acl("DELUSER", "few", "some");
    });

    it("has lost its rules too, and accepts none until an operator accepts the empty store", async () => {
      await using connection = await connect();
      const { documents, rules } = connection;
      const put = () => documents.put({ ...aChange(), collection: "shares", name: "a", value: 1 });
      await put();
      expect((await rules.read("shares")).value.size).toBe(1);
      await until(async () => (await store.server.client.exists(marker)) === 1, "it is marked");
      await store.server.client.flushall();
      await expect(rules.read("shares")).rejects.toThrow("came back empty");
      await expect(put()).rejects.toThrow("came back empty");
      await connection.accept();
      expect((await rules.read("shares")).value.size).toBe(0);
      await put();
    });

    it("gets no marker for a read just before the loss", async () => {
      const { client } = store.server;
      const filled = new FilledStores();
      filled.add("id");
      const guard = new EmptyStoreGuard(client, "store", log, "id", filled);
      const found: string[][] = [["a"], []];
      const read = async () => {
        if (found.length === 2) void client.flushall();
        return found.shift() ?? [];
      };
      await expect(guard.watch(read, (members) => members.length > 0)).rejects.toThrow("came back empty");
      expect([found, await client.exists(marker)]).toEqual([[], 0]);
    });

    it("is detected on connections that read nothing of it, once another one has", async () => {
      const learned: string[] = [];
      const filled = new FilledStores((id) => learned.push(id));
      const open = async (known?: FilledStores) => {
        const connection = connectRedis("store", store.server.url, log, { filled: known });
        await connection.connected();
        return connection;
      };
      await using reader = await open();
      await using idle = await open(filled);
      expect(learned).toEqual([]);
      expect(await read(reader)).toEqual(["a"]);
      await until(() => learned.length === 1, "the other connection finds the marker");
      await using late = await open();
      await store.server.client.flushall();
      await using ofSameInstance = await open(filled);
      for (const connection of [idle, late, ofSameInstance]) {
        const resolver = connection.tokenResolver(plainTokenKey());
        await expect(resolver.resolve("1234")).rejects.toThrow("came back empty");
      }
    });

    it("is accepted again once it is refilled, even just after a marker was set", async () => {
      await using connection = await connect();
      await read(connection);
      await until(async () => (await store.server.client.exists(marker)) === 1, "it is marked");
      await store.server.client.flushall();
      await expect(read(connection)).rejects.toThrow("came back empty");
      await store.server.client.sadd("filled", "a");
      expect(await read(connection)).toEqual(["a"]);
      const isAccepted = () =>
        read(connection, "nothing").then(
          () => true,
          () => false,
        );
      await until(isAccepted, "an empty set is accepted");
    });

    it("is not reported if the marker is set during a read of absent keys", async () => {
      const { client } = store.server;
      const filled = new FilledStores();
      const guard = new EmptyStoreGuard(client, "store", log, "id", filled);
      const read = async () => [];
      await client.del(marker);
      const early = guard.watch(read, () => false);
      const release = Promise.withResolvers<string[]>();
      const late = guard.watch(
        () => release.promise,
        () => false,
      );
      await early;
      await guard.watch(
        async () => ["a"],
        () => true,
      );
      await until(() => guard.wasFilled, "it is marked");
      release.resolve([]);
      expect(await late).toEqual([]);
    });

    it("gets the marker as soon as there is memory for it", async () => {
      await store.server.client.config("SET", "maxmemory", "1");
      await using connection = await connect();
      await read(connection);
      await until(() => logged.length > 0, "the marker is refused");
      await store.server.client.config("SET", "maxmemory", "0");
      const isMarked = async () => {
        await read(connection);
        return (await store.server.client.exists(marker)) === 1;
      };
      await until(isMarked, "it is marked");
      expect(logged).toHaveLength(1);
    });

    it.each([
      ["may not be written", "reader:secret@", ["~*", "-@all", "+@read", "+@connection", "+info"]],
      ["may not be read", "limited:secret@", ["~filled", "~token:*", "-@all", "+@read", "+@connection", "+info"]],
      ["has no room", "", []],
    ] as const)("is accepted if the marker %s, with one log line", async (_, user, rights) => {
      const [name] = user.split(":");
      if (name) await store.server.client.acl("SETUSER", name, "reset", "on", ">secret", ...rights);
      else await store.server.client.config("SET", "maxmemory", "1");
      await using connection = await connect(user);
      await read(connection);
      await until(() => logged.length > 0, "the log says so");
      await read(connection);
      await store.server.client.flushall();
      expect(await read(connection)).toEqual([]);
      expect(logged).toHaveLength(1);
      expect(JSON.parse(logged[0] ?? "")).toMatchObject({ connection: "store", key: marker, level: 40 });
    });
  });

  it("is named with the connection and the cause if it cannot be reached", async () => {
    await using proxy = await TcpProxy.to(store.server.port);
    proxy.cut();
    await using connection = connectRedis("users", `redis://127.0.0.1:${proxy.port}`, createLog("silent"));
    await expect(connection.connected()).rejects.toThrow(
      /^connection "users" cannot use Redis: .*; start the server, or fix the url$/,
    );
  });

  it("counts as empty if it has only Tidegate's own keys", async () => {
    const { connection, server } = store;
    const tokens = connection.tokenStore(plainTokenKey());
    await connection.changes.apply({ ...changeOf("global_features", { add: ["a"] }), idempotencyKey: "a" });
    await connection.changes.apply(changeOf("global_features", { remove: ["a"] }));
    await connection.documents.put({ ...aChange(), collection: "catalogue", name: "a", value: {} });
    await tokens.assign({ ...aChange(), token: "1234", userId: "1" });
    await tokens.revoke({ ...aChange(), token: "1234" });
    expect(await connection.isEmpty()).toBe(true);
    for (const key of ["anything", "tidegate:killed", "tidegate:killed:madrid"]) {
      await server.client.sadd(key, "a");
      expect(await connection.isEmpty()).toBe(false);
      await server.client.del(key);
    }
  });
});
