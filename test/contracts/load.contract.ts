import { v7 as uuidv7 } from "uuid";
import { describe, expect, it } from "vitest";
import type { Batch } from "../../src/domain/admin/batch.ts";
import type { ChangeRecord, SetRecord, TokenRecord } from "../../src/domain/admin/change.ts";
import type { DocumentStore } from "../../src/domain/admin/document-store.ts";
import type { FeatureStore, SetLoad } from "../../src/domain/admin/feature-store.ts";
import type { TokenLoad, TokenStore } from "../../src/domain/admin/token-store.ts";
import type { FeatureSets } from "../../src/domain/evaluation/feature-sets.ts";
import type { TokenResolver } from "../../src/domain/evaluation/token-resolver.ts";
import type { Outbox } from "../../src/domain/events/outbox.ts";
import type { SetRecorder } from "../../src/domain/events/set-recorder.ts";

const author = { by: "loader", note: 'import of "a" ☂' };

const batchOf = <Item>(items: readonly Item[], from = 0, to = from + 1, load = "some load"): Batch<Item> => ({
  ...author,
  load,
  from,
  to,
  items,
});

const numbered = (count: number) => Array.from({ length: count }, (_, index) => `feature_${index}`);

/** An empty store to load sets into, and a way to change it externally. */
export type SetLoadsUnderTest = {
  readonly changes: FeatureStore & SetRecorder;
  readonly sets: FeatureSets;
  readonly outbox: () => Outbox;
  readonly put: (key: string, members: readonly string[]) => Promise<void>;
};

/** The contract of FeatureStore for batches. */
export function setLoadContract(open: () => SetLoadsUnderTest): void {
  const set = (key: string, ...features: string[]): SetLoad => ({ key, personal: true, features, limit: 10_000 });
  const add = (key: string, ...features: string[]) => ({
    id: uuidv7(),
    by: "tester",
    key,
    personal: true,
    add: features,
    remove: [],
  });

  const opened = () => {
    const { changes, sets, outbox, put } = open();
    const read = async (key: string) => (await sets.read(key, 20_000)).value.features.toSorted();
    const records = async (key?: string): Promise<readonly SetRecord[]> => {
      await using box = outbox();
      const found = (await box.read(100_000)).flatMap(({ records = [] }) => records);
      return found.filter((record): record is SetRecord => record.of === "set" && record.key === (key ?? record.key));
    };
    return { changes, outbox, put, read, records };
  };

  describe("FeatureStore, loaded", () => {
    it("creates sets, each with one record of its content", async () => {
      const { changes, read, records } = opened();
      const items = [set("store:a", "größer ☂", "one"), { ...set("store:b", "two"), personal: false }];
      expect(await changes.load(batchOf(items, 0, 7))).toEqual({ position: 7, records: 2 });
      expect([await read("store:a"), await read("store:b")]).toEqual([["größer ☂", "one"], ["two"]]);
      const [a, b, ...others] = (await records()).toSorted((one, other) => (one.key < other.key ? -1 : 1));
      expect(others).toEqual([]);
      expect(a).toEqual({
        of: "set",
        id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
        ...author,
        at: expect.any(Number),
        revision: { epoch: expect.any(String), number: 1 },
        key: "store:a",
        origin: "change",
        added: ["größer ☂", "one"],
        removed: [],
        members: ["größer ☂", "one"],
        size: 2,
      });
      expect(Math.abs((a?.at ?? 0) - Date.now())).toBeLessThan(60_000);
      expect(b?.id).not.toBe(a?.id);
      expect(await changes.revisions(["store:a", "store:b"])).toEqual([a?.revision, b?.revision]);
    });

    it("returns the same result for a repeated load", async () => {
      const { changes, records } = opened();
      await changes.load(batchOf([set("store:a", "one"), set("store:b", "one")]));
      expect(await records()).toEqual(await records());
    });

    it("adds missing features to a set, and records them as a change", async () => {
      const { changes, put, read, records } = opened();
      await changes.apply(add("store:known", "one"));
      await put("store:met", ["old"]);
      const items = [set("store:known", "one", "two"), set("store:new", "x"), set("store:met", "old", "new")];
      expect(await changes.load(batchOf(items))).toMatchObject({ records: 3 });
      expect([await read("store:known"), await read("store:met")]).toEqual([
        ["one", "two"],
        ["new", "old"],
      ]);
      const [baseline, , change] = await records("store:known");
      expect(change).toMatchObject({ ...author, origin: "change", added: ["two"], size: 2 });
      expect(change?.revision).toEqual({ epoch: baseline?.revision.epoch, number: 3 });
      expect((await records("store:met")).map(({ origin, added, members }) => [origin, added, members])).toEqual([
        ["baseline", [], ["old"]],
        ["change", ["new"], undefined],
      ]);
    });

    it("does not change or record a set that has all features", async () => {
      const { changes, put, records } = opened();
      await changes.apply(add("store:known", "one", "two"));
      await put("store:met", ["old"]);
      const before = await records();
      const items = [set("store:known", "two"), set("store:met", "old"), set("store:none")];
      expect(await changes.load(batchOf(items))).toEqual({ position: 1, records: 0 });
      expect(await records()).toEqual(before);
      expect(await changes.revisions(["store:met"])).toEqual([undefined]);
    });

    it("loads each batch once, and only after the previous one", async () => {
      const { changes, read, records } = opened();
      const [first, second] = [batchOf([set("store:a", "one")], 0, 3), batchOf([set("store:b", "two")], 3, 9)];
      expect(await changes.load(second)).toEqual({ position: 0, records: 0 });
      expect(await changes.load(first)).toMatchObject({ position: 3 });
      expect(await changes.load(first)).toEqual({ position: 3, records: 0 });
      const again = await Promise.all(Array.from({ length: 8 }, () => changes.load(second)));
      expect(again.map((loaded) => loaded.position)).toEqual(again.map(() => 9));
      expect(again.reduce((sum, loaded) => sum + loaded.records, 0)).toBe(1);
      expect(await changes.load(batchOf([], 0, 0))).toEqual({ position: 9, records: 0 });
      expect(await changes.load(batchOf([set("store:c", "three")], 0, 3, "another load"))).toMatchObject({
        position: 3,
      });
      expect([await read("store:a"), await read("store:b"), await read("store:c")]).toEqual([
        ["one"],
        ["two"],
        ["three"],
      ]);
      expect(await records()).toHaveLength(3);
    });

    it("changes nothing if a set would exceed its limit, and names the set", async () => {
      const { changes, read, records } = opened();
      await changes.apply(add("store:full", ...numbered(9)));
      const before = await records();
      const full = { ...set("store:full", "feature_0", "more", "and more"), limit: 10 };
      const batch = batchOf([set("store:a", "one"), full, set("store:b", "one")]);
      await expect(changes.load(batch)).rejects.toThrow(
        /^The set store:full would have more than 10 members\. Raise maxMembers/,
      );
      expect([await read("store:a"), await read("store:b"), await read("store:full")]).toEqual([[], [], numbered(9)]);
      expect(await records()).toEqual(before);
      expect(await changes.load({ ...batch, items: [{ ...full, limit: 11 }] })).toEqual({ position: 1, records: 1 });
    });

    it("records a large set by its previous content and the added members", async () => {
      const { changes, read, records } = opened();
      expect(await changes.load(batchOf([set("store:a", ...numbered(2_000))]))).toMatchObject({ position: 1 });
      expect(await read("store:a")).toHaveLength(2_000);
      const [baseline, change, ...others] = await records();
      expect(others).toEqual([]);
      expect(baseline).toMatchObject({ origin: "baseline", members: [], size: 0 });
      expect(change).toMatchObject({ origin: "change", added: numbered(2_000), size: 2_000 });
    });

    it("returns changes of loaded sets after the load, even in small reads", async () => {
      const { changes, outbox, read } = opened();
      const keys = Array.from({ length: 20 }, (_, index) => `store:${index}`);
      await changes.load(
        batchOf(
          keys.slice(0, 10).map((key) => set(key, "one")),
          0,
          1,
        ),
      );
      await changes.load(
        batchOf(
          keys.slice(10).map((key) => set(key, "one")),
          1,
          2,
        ),
      );
      for (const key of keys) await changes.apply(add(key, "two"));
      await changes.apply(add("store:0", "three"));
      await using box = outbox();
      await using other = outbox();
      const seen = new Map<string, number[]>();
      for (let turn = 0, isEmpty = 0; isEmpty < 2; turn++) {
        const entries = await (turn % 2 ? box : other).read(3);
        isEmpty = entries.length === 0 ? isEmpty + 1 : 0;
        for (const record of entries.flatMap(({ records = [] }) => records)) {
          if (record.of === "set") seen.set(record.key, [...(seen.get(record.key) ?? []), record.revision.number]);
        }
        await box.remove(entries);
      }
      expect(seen.size).toBe(20);
      for (const [key, numbers] of seen) expect([key, numbers]).toEqual([key, key === "store:0" ? [1, 2, 3] : [1, 2]]);
      expect(await read("store:0")).toEqual(["one", "three", "two"]);
    });

    it("does not delay the records of other sets during a large load", async () => {
      const { changes, outbox } = opened();
      for (let from = 0; from < 40; from++) await changes.load(batchOf([set(`store:${from}`, "one")], from));
      await changes.apply(add("store:other", "one"));
      await using box = outbox();
      let notified = 0;
      for (let rounds = 0; rounds < 60 && notified < 1; rounds++) {
        const entries = await box.read(10);
        const found = entries.flatMap(({ records = [] }) => records);
        if (found.some((record) => record.of === "set" && record.key === "store:other")) notified += 1;
        await box.remove(entries);
      }
      expect(notified).toBe(1);
    });

    it("returns the keys of sets with a prefix", async () => {
      const { changes, put } = opened();
      const keys = Array.from({ length: 2_500 }, (_, index) => `store:all:${index}`);
      for (let from = 0; from < keys.length; from += 250) {
        const items = keys.slice(from, from + 250).map((key) => set(key, "one", "two"));
        await changes.load(batchOf(items, from, from + 250));
      }
      await put("store:all:ü", ["one"]);
      await put("store:other", ["one"]);
      const notified = (await Array.fromAsync(changes.allKeys("store:all:"))).flat();
      expect([...new Set(notified)].sort()).toEqual([...keys, "store:all:ü"].sort());
      expect(await Array.fromAsync(changes.allKeys("nowhere:"))).not.toContainEqual([expect.anything()]);
    });

    it("returns the number and age of waiting load records", async () => {
      const { changes, outbox } = opened();
      await changes.load(batchOf([set("store:a", "one"), set("store:b", "two")]));
      await changes.load(batchOf([set("store:c", "one")], 1, 2));
      await using box = outbox();
      const { entries, oldest } = await box.backlog();
      expect(entries).toBe(3);
      const all = (await box.read(1_000)).flatMap(({ records = [] }) => records);
      expect(oldest).toBe(Math.min(...all.map(({ at }) => at)));
    });
  });
}

/** The contract for batches of a FeatureStore whose sets others may change too. */
export function externalLoadContract(open: () => SetLoadsUnderTest): void {
  it.each([true, false])("detects an external change of a loaded set (personal: %s)", async (personal) => {
    const { changes, put, outbox } = open();
    const address = { key: "store:a", personal };
    await changes.load(batchOf([{ ...address, features: ["one", "two"], limit: 10 }]));
    expect(await changes.reconcile(address)).toBe(false);
    await put("store:a", ["three"]);
    expect(await changes.reconcile(address)).toBe(true);
    await using box = outbox();
    const records: ChangeRecord[] = [];
    for (let entries = await box.read(10); entries.length > 0; entries = await box.read(10)) {
      records.push(...entries.flatMap((entry) => entry.records ?? []));
      await box.remove(entries);
    }
    expect(records).toMatchObject([
      { origin: "change", revision: { number: 1 } },
      { origin: "external", revision: { number: 2 }, size: 3 },
    ]);
  });
}

/** A store to load tokens into. Its outbox may contain other records. */
export type TokenLoadsUnderTest = {
  readonly store: TokenStore;
  readonly resolver: TokenResolver;
  readonly put: (token: string, userId: string) => Promise<void>;
  readonly records: () => Promise<readonly ChangeRecord[]>;
};

/** The contract of TokenStore for batches. `digestOf` returns the digest that stands for a token in its key. */
export function tokenLoadContract(open: () => TokenLoadsUnderTest, digestOf: (token: string) => string): void {
  const opened = () => {
    const { store, resolver, put, records } = open();
    const load = (tokens: readonly TokenLoad[], name = uuidv7()) => store.load(batchOf(tokens, 0, 1, name));
    return {
      store,
      put,
      load,
      userOf: async (token: string) => (await resolver.resolve(token)).value,
      recordsOf: async (...users: string[]) =>
        (await records()).filter(
          (record): record is TokenRecord => record.of === "token" && users.includes(record.userId),
        ),
    };
  };

  describe("TokenStore, loaded", () => {
    it("adds tokens, each with a record, and lists them", async () => {
      const { store, load, userOf, recordsOf } = opened();
      const tokens = [
        { token: "load-a", userId: "load 1" },
        { digest: digestOf("load-b"), userId: 'load "2"' },
      ];
      expect(await load(tokens)).toEqual({ position: 1, records: 2 });
      expect([await userOf("load-a"), await userOf("load-b")]).toEqual(["load 1", 'load "2"']);
      const [a, b, ...others] = await recordsOf("load 1", 'load "2"');
      expect(others).toEqual([]);
      expect(a).toEqual({
        of: "token",
        id: a?.tokenId,
        ...author,
        at: expect.any(Number),
        tokenId: expect.any(String),
        userId: "load 1",
        origin: "issued",
        revision: { epoch: a?.tokenId, number: 1 },
      });
      expect(b?.tokenId).not.toBe(a?.tokenId);
      expect(await store.list("load 1")).toEqual([{ id: a?.tokenId, userId: "load 1", issuedAt: a?.at, by: "loader" }]);
    });

    it("moves a token of another user, and does not change a token of the same user", async () => {
      const { store, put, load, userOf, recordsOf } = opened();
      await store.assign({ id: uuidv7(), by: "tester", token: "load-same", userId: "load-same" });
      await store.assign({ id: uuidv7(), by: "tester", token: "load-moves", userId: "load-from" });
      await put("load-foreign", "load-foreign");
      const before = await recordsOf("load-same", "load-foreign");
      const tokens = ["same", "to", "foreign", "new"].map((name) => ({
        token: name === "to" ? "load-moves" : `load-${name}`,
        userId: `load-${name}`,
      }));
      expect(await load(tokens)).toEqual({ position: 1, records: 2 });
      expect(await Promise.all(tokens.map(({ token }) => userOf(token)))).toEqual(tokens.map(({ userId }) => userId));
      expect(await recordsOf("load-same", "load-foreign")).toEqual(before);
      expect((await recordsOf("load-from")).map(({ origin, by }) => [origin, by])).toEqual([
        ["issued", "tester"],
        ["revoked", "loader"],
      ]);
      expect((await recordsOf("load-to")).map(({ origin }) => origin)).toEqual(["issued"]);
      expect(await store.list("load-from")).toEqual([]);
      expect(await store.list("load-to")).toHaveLength(1);
    });

    it("loads each batch once", async () => {
      const { load, recordsOf } = opened();
      const name = uuidv7();
      const loads = await Promise.all(
        Array.from({ length: 5 }, (_, index) => load([{ token: `load-once-${index}`, userId: "load-once" }], name)),
      );
      expect(loads.map(({ position }) => position)).toEqual([1, 1, 1, 1, 1]);
      expect(await recordsOf("load-once")).toHaveLength(1);
    });

    it("returns the stored form and the user of each token", async () => {
      const { store, put, load } = opened();
      await load([{ token: "load-told", userId: "load-told" }]);
      await put("load-put", "load-put");
      const notified = new Map(
        (await Array.fromAsync(store.all())).flat().map(({ digest, userId }) => [digest, userId]),
      );
      expect([notified.get(digestOf("load-told")), notified.get(digestOf("load-put"))]).toEqual([
        "load-told",
        "load-put",
      ]);
      expect(notified.has("load-told")).toBe(digestOf("load-told") === "load-told");
    });

    it("revokes a loaded token", async () => {
      const { store, load, userOf, recordsOf } = opened();
      await load([{ token: "load-revoked", userId: "load-revoked" }]);
      const [issued] = await recordsOf("load-revoked");
      const change = { id: uuidv7(), by: "tester", tokenId: issued?.tokenId ?? "", userId: "load-revoked" };
      expect(await store.revoke(change)).toBe("load-revoked");
      expect(await userOf("load-revoked")).toBeUndefined();
      expect(await store.list("load-revoked")).toEqual([]);
      expect(await load([{ token: "load-revoked", userId: "load-revoked" }])).toMatchObject({ records: 1 });
      expect(await store.list("load-revoked")).toHaveLength(1);
    });
  });
}

/** The contract of DocumentStore for batches. */
export function documentLoadContract(
  open: () => { readonly documents: DocumentStore; readonly records: () => Promise<readonly ChangeRecord[]> },
): void {
  it("stores all documents of a batch once, each with a record, except for unchanged ones", async () => {
    const { documents, records } = open();
    const collection = `loaded-${uuidv7()}`;
    const put = (name: string, value: number | null) =>
      documents.put({ id: uuidv7(), by: "tester", collection, name, value });
    await put("same", 1);
    await put("other", 1);
    await put("removed", 1);
    await put("removed", null);
    const names = ["new", "same", "other", "removed"];
    const batch = batchOf(
      names.map((name) => ({ collection, name, value: name === "same" ? 1 : 2 })),
      0,
      4,
      collection,
    );
    expect(await documents.load(batch)).toEqual({ position: 4, records: 3 });
    expect(await documents.load(batch)).toEqual({ position: 4, records: 0 });
    const all = await documents.all(collection);
    expect(Object.fromEntries([...all].map(([name, { value }]) => [name, value]))).toEqual({
      new: 2,
      same: 1,
      other: 2,
      removed: 2,
    });
    const loaded = (await records()).filter((record) => record.of === "document" && record.by === "loader");
    expect(loaded.map((record) => record.of === "document" && [record.name, record.value, record.note])).toEqual([
      ["new", 2, author.note],
      ["other", 2, author.note],
      ["removed", 2, author.note],
    ]);
  });
}
