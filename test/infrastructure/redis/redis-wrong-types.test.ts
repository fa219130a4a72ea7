import type { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { StoreDataInvalid, StorePermissionDenied, StoreReadOnly } from "../../../src/domain/errors.ts";
import type { Connection } from "../../../src/infrastructure/connection.ts";
import { redisFault } from "../../../src/infrastructure/redis/redis-fault.ts";
import { bookkeeping, itemKeys, loadKey, tokensKey } from "../../../src/infrastructure/redis/redis-keys.ts";
import { collectionKey } from "../../../src/infrastructure/stores/store-keys.ts";
import { plainTokenKey } from "../../../src/infrastructure/token-key.ts";
import { emptied } from "../../support/redis.ts";
import { aChange, changeOf, redisStore } from "../../support/stores.ts";

type Operation = readonly [string, (connection: Connection) => Promise<unknown>];

const batch = { by: "tester", load: "import", from: 0, to: 1 };
const tokens = (connection: Connection) => connection.tokenStore(plainTokenKey());
const kill: Operation = [
  "a change of a set",
  ({ changes }) => changes.apply({ ...changeOf("letters", { add: ["a"] }), idempotencyKey: "x" }),
];
const reconcile: Operation = [
  "a look at a set",
  ({ changes }) => changes.reconcile({ key: "letters", personal: false }),
];
const loadSets: Operation = [
  "an import of sets",
  ({ changes }) =>
    changes.load({
      ...batch,
      items: [
        { key: "new", personal: false, features: ["a"], limit: 9 },
        { key: "letters", personal: false, features: ["a"], limit: 9 },
      ],
    }),
];
const issue: Operation = [
  "an issued token",
  (it) => tokens(it).assign({ ...aChange(), token: "s3cret", userId: "1", idempotencyKey: "x" }),
];
const revoke: Operation = ["a revoked token", (it) => tokens(it).revoke({ ...aChange(), token: "s3cret" })];
const listTokens: Operation = ["a list of tokens", (it) => tokens(it).list("1")];
const loadTokens: Operation = [
  "an import of tokens",
  (it) => tokens(it).load({ ...batch, items: [{ token: "s3cret", userId: "1" }] }),
];
const put: Operation = [
  "a change of a document",
  ({ documents }) => documents.put({ ...aChange(), collection: "c", name: "n", value: 1, idempotencyKey: "x" }),
];
const loadDocuments: Operation = [
  "an import of documents",
  ({ documents }) => documents.load({ ...batch, items: [{ collection: "c", name: "n", value: 1 }] }),
];
const putItems: Operation = ["items of a feed", ({ items }) => items.put("partner", [{ id: "1" } as never])];
const since: Operation = ["a read of items", ({ items }) => items.since("partner", undefined, 10)];

const ofSet = bookkeeping("letters");
const ofTokens = bookkeeping(tokensKey);
const ofDocuments = bookkeeping(collectionKey("c"));
const ofItems = itemKeys("partner");

const list = (client: Redis, key: string) => client.rpush(key, "no such thing");
const text = (client: Redis, key: string) => client.set(key, "no such thing");

describe("a key of another type", () => {
  let store: Awaited<ReturnType<typeof redisStore>>;
  beforeAll(async () => {
    store = await redisStore();
  });
  afterAll(() => store[Symbol.asyncDispose]());
  beforeEach(async () => {
    await emptied(store.server.client);
    await store.put("letters", ["z"]);
  });

  it.each<readonly [string, (client: Redis, key: string) => Promise<unknown>, readonly Operation[]]>([
    [ofSet.head, list, [kill, reconcile, loadSets]],
    [ofSet.head, text, [kill, reconcile, loadSets]],
    [ofSet.shadow, text, [kill, reconcile, loadSets]],
    [ofSet.outbox, text, [kill, reconcile, loadSets]],
    [ofSet.once("x"), list, [kill]],
    [tokensKey, text, [issue, revoke, loadTokens]],
    [ofTokens.ids, text, [issue, revoke, loadTokens]],
    [ofTokens.users, text, [issue, revoke, loadTokens, listTokens]],
    [ofTokens.outbox, text, [issue, revoke]],
    [collectionKey("c"), text, [put, loadDocuments]],
    [ofDocuments.outbox, text, [put, loadDocuments]],
    [ofItems.items, text, [putItems]],
    [ofItems.order, text, [putItems, since]],
    [ofItems.head, text, [putItems, since]],
    [loadKey("import"), list, [loadSets, loadTokens, loadDocuments]],
    ["tidegate:claim:x", list, [["a claim", ({ idempotencyKeys: claims }) => claims.claim("x", "purpose")]]],
    ["tidegate:lease:records", list, [["a lease", ({ lease }) => lease("records").hold()]]],
  ])("is named, without a change: %s", async (key, spoil, operations) => {
    const { client } = store.server;
    await spoil(client, key);
    const content = async () => Promise.all((await client.keys("*")).sort().map((each) => client.dump(each)));
    const before = await content();
    for (const [, operation] of operations) {
      const failure = operation(store.connection);
      await expect(failure).rejects.toThrow(StoreDataInvalid);
      await expect(failure).rejects.toThrow(`${key} has the wrong type; fix it in Redis`);
      expect(await content()).toEqual(before);
    }
  });

  it("is not named if it belongs to a token", async () => {
    await list(store.server.client, "token:s3cret");
    for (const [, operation] of [issue, revoke, loadTokens]) {
      const failure = operation(store.connection);
      await expect(failure).rejects.toThrow(StoreDataInvalid);
      await expect(failure).rejects.toThrow(/^a token's key has the wrong type; fix it in Redis$/);
    }
  });
});

describe("a rejected command", () => {
  const rejected = (message: string) =>
    Object.assign(new Error(message), { name: "ReplyError", command: { name: "evalsha", args: ["token:s3cret"] } });
  const script = " script: 0123456789012345678901234567890123456789, on @user_script:12.";

  it.each([
    ["MISCONF Redis is configured to save RDB snapshots", StoreReadOnly, "cannot save them"],
    ["READONLY You can't write against a read only replica.", StoreReadOnly, "it is a replica"],
    ["NOPERM this user has no permissions to run the 'evalsha' command", StorePermissionDenied, "'evalsha'"],
    [`NOPERM the user may not run SADD on killed${script}`, StorePermissionDenied, "SADD on killed; grant the rights"],
    [`WRONGTYPE key a key with spaces${script}`, StoreDataInvalid, "a key with spaces has the wrong type"],
    ["ERR unknown command 'GET', with args beginning with: 'token:s3cret'", Error, "unknown command 'GET'"],
  ])("has its own error: %s", (reply, fault, text) => {
    const throwing = () => redisFault(rejected(reply), "killed");
    expect(throwing).toThrow(fault);
    expect(throwing).toThrow(text);
    try {
      throwing();
    } catch (error) {
      expect(JSON.stringify([error, String(error)])).not.toContain("s3cret");
    }
  });
});
