import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { v5 as uuidv5, v7 as uuidv7 } from "uuid";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { OutboxRelay } from "../../../src/application/events/outbox-relay.ts";
import { RuleReconciler } from "../../../src/application/events/rule-reconciler.ts";
import { historicalStore } from "../../../src/application/explain/historical-store.ts";
import { feedsCollection, itemsRecordIn } from "../../../src/application/feeds/items-record.ts";
import { recordItems } from "../../../src/application/feeds/record-items.ts";
import type { Revision } from "../../../src/domain/admin/change.ts";
import { EventLogUnavailable, HistoryUnavailable, StoreDataInvalid } from "../../../src/domain/errors.ts";
import type { Json } from "../../../src/domain/evaluation/feature.ts";
import type { Outbox } from "../../../src/domain/events/outbox.ts";
import type { KnownItem } from "../../../src/domain/feeds/item.ts";
import { Timeline } from "../../../src/domain/feeds/timeline.ts";
import { type OpenEventLog, openEventLog } from "../../../src/infrastructure/event-log/open-event-log.ts";
import { featureSetsContract } from "../../contracts/feature-sets.contract.ts";
import { setIndexContract } from "../../contracts/set-index.contract.ts";
import { instant } from "../../support/instant.ts";
import { anItem } from "../../support/items.ts";
import { MemoryHistory, type RecordFields } from "../../support/memory-history.ts";
import { aChange, recordsIn, sqliteStore, type TestStore } from "../../support/stores.ts";

const dayMs = 24 * 60 * 60 * 1_000;

/** A history in memory, and the store that it records. */
function setUp(completeSince?: number) {
  const history = new MemoryHistory();
  /** The present revision of each set, and the records that have not reached the log. */
  const store = {
    revision: undefined as Revision | undefined,
    waiting: [] as RecordFields[],
    changes: { revisions: async () => [store.revision] },
    documents: { revisions: async () => new Map() },
    relay: async () => void history.record(...store.waiting.splice(0)),
    completeSince: async () => completeSince,
  };
  const read = (key: string, at: number, limit = 1_000) =>
    historicalStore(history, store, "store", at).sets.read(key, limit);
  return { history, store, read, at: async (key: string, at: number) => (await read(key, at)).value.features };
}

describe("a set at a past time", () => {
  it("contains what was recorded up to that time", async () => {
    const { history, at } = setUp();
    history.record({ key: "s", at: 10, members: ["a"] }, { key: "s", at: 20, added: ["b"], removed: ["a"] });
    history.record({ key: "s", at: 15, members: ["x"], store: "other" });
    expect(await Promise.all([10, 19, 20, 1_000].map((moment) => at("s", moment)))).toEqual([
      ["a"],
      ["a"],
      ["b"],
      ["b"],
    ]);
  });

  it("is unknown before its first record, and names its time", async () => {
    const { history, at } = setUp();
    history.record({ key: "s", at: 10, members: ["a"] });
    await expect(at("s", 9)).rejects.toBeInstanceOf(HistoryUnavailable);
    await expect(at("s", 9)).rejects.toMatchObject({ parts: [{ name: "s", from: 10 }] });
    await expect(at("never", 9)).rejects.toMatchObject({ parts: [{ name: "never" }] });
  });

  it("is unknown while it had too many members to record", async () => {
    const { history, at } = setUp(0);
    history.record({ key: "s", at: 10, origin: "baseline", size: 2_000 }, { key: "s", at: 20, added: ["b"] });
    await expect(at("s", 25)).rejects.toMatchObject({ code: "history-unavailable", parts: [{ name: "s" }] });
  });

  it("is empty if the log covers its family and has no record of it", async () => {
    const { history, at } = setUp(5);
    history.record({ key: "s", at: 10, added: ["a"], members: ["a"] });
    expect(await Promise.all([at("none", 5), at("s", 9), at("s", 10)])).toEqual([[], [], ["a"]]);
    await expect(at("s", 4)).rejects.toMatchObject({ parts: [{ name: "s", from: 5 }] });
  });

  it("waits until its records have reached the log", async () => {
    const { history, store, at } = setUp();
    history.record({ key: "s", at: 10, members: ["a"] });
    store.revision = { epoch: "e", number: 2 };
    store.waiting = [{ key: "s", at: 20, added: ["b"] }];
    expect(await at("s", 20)).toEqual(["a", "b"]);
    store.revision = { epoch: "f", number: 1 };
    store.waiting = [{ key: "s", at: 30, members: ["c"], revision: { epoch: "f", number: 1 } }];
    expect([await at("s", 29), await at("s", 30)]).toEqual([["a", "b"], ["c"]]);
  });

  it("rejects if a record of it does not reach the log", async () => {
    const { history, store, at } = setUp();
    history.record({ key: "s", at: 10, members: ["a"] });
    store.revision = { epoch: "e", number: 2 };
    await expect(at("s", 10)).rejects.toBeInstanceOf(EventLogUnavailable);
    store.revision = { epoch: "e", number: 1 };
    expect(await at("s", 10)).toEqual(["a"]);
  });

  it("rejects while the log or the store is unavailable", async () => {
    const { history, store, at } = setUp();
    history.record({ key: "s", at: 10, members: [] });
    store.changes.revisions = () => Promise.reject(new Error("the store is away"));
    await expect(at("s", 10)).rejects.toBeInstanceOf(EventLogUnavailable);
    const fine = setUp();
    fine.history.fault = new Error("the log is away");
    await expect(fine.at("s", 10)).rejects.toMatchObject({ code: "log-unavailable", cause: fine.history.fault });
  });

  it("is verified as of its time, without invalid members, up to its limit", async () => {
    const { history, read } = setUp();
    history.record({ key: "s", at: 10, members: ["good", "a\nb"] });
    const cached = await read("s", 15, 2);
    expect(cached.value).toEqual({ features: ["good"], invalidMembers: 1 });
    expect([cached.verifiedAt(99), cached.isCurrent(15)]).toEqual([15, false]);
    await expect(read("s", 15, 1)).rejects.toBeInstanceOf(StoreDataInvalid);
  });
});

describe("a historical store", () => {
  let folder: string;
  let file: string;
  let store: TestStore;
  let eventLog: OpenEventLog;
  let outbox: Outbox;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "tidegate-past-"));
    file = join(folder, "store.db");
    store = sqliteStore(file);
    eventLog = openEventLog({ kind: "sqlite", file: join(folder, "events.db") });
    outbox = store.connection.outbox();
  });
  afterEach(async () => {
    await outbox[Symbol.asyncDispose]();
    await eventLog[Symbol.asyncDispose]();
    await store[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  const relay = () =>
    new OutboxRelay(new Map([["features", outbox]]), eventLog.log, {
      environment: "test",
      now: Date.now,
      identityOf: async (store) => store,
      idFor: (text) => uuidv5(text, uuidv5.URL),
      rebase: async () => {},
      foundUnusable: () => {},
    });
  const drain = () => relay().relay("features");
  const asOf = (when: number, relay = drain, completeSince?: number) => {
    const { changes, documents } = store.connection;
    const present = { changes, documents, relay, completeSince: async () => completeSince };
    return historicalStore(eventLog.history, present, "features", when);
  };

  describe("of the present time", () => {
    const put = async (key: string, members: readonly string[]) => {
      await store.connection.changes.apply({ ...aChange(), key, personal: false, add: members, remove: [] });
      await drain();
    };
    featureSetsContract(() => ({
      sets: { read: (key, limit) => asOf(Date.now(), drain, 0).sets.read(key, limit) },
      put,
      isHistory: true,
    }));
    setIndexContract(() => ({ index: asOf(Date.now() + dayMs, drain, 0).index, put }));
  });

  describe("the rules of a past time", () => {
    const watch = async (by: Pick<OutboxRelay, "relay"> = relay()) => {
      const { documents, rules } = store.connection;
      const watched = { name: "features", documents, rules, collections: ["shares"] };
      const watching = new RuleReconciler(watched, eventLog.history, by, uuidv7);
      await watching.reconcile();
      expect(watching.isDue).toBe(false);
      await drain();
    };
    const at = async (moment: number, relay = drain) =>
      Object.fromEntries((await asOf(moment, relay).rules.read("shares")).value);
    /** Changes a rule; returns an instant after the change. */
    const put = async (name: string, value: Json) => {
      await store.connection.documents.put({ ...aChange(), collection: "shares", name, value });
      return instant();
    };
    const edit = (sql: string, ...values: string[]) => {
      using other = new DatabaseSync(file);
      other.prepare(sql).run(...values);
    };

    it("are those recorded up to that time, if the log covers them", async () => {
      await watch();
      const empty = await instant();
      const one = await put("a", { share: 1 });
      const two = await put("b", { share: 2 });
      const three = await put("a", null);
      expect(await Promise.all([empty, one, two, three].map((moment) => at(moment)))).toEqual([
        {},
        { a: { share: 1 } },
        { a: { share: 1 }, b: { share: 2 } },
        { b: { share: 2 } },
      ]);
    });

    it("are unknown before the first record, and name its time", async () => {
      const before = await put("a", 1);
      await expect(at(before)).rejects.toMatchObject({ code: "history-unavailable", parts: [{ name: "shares" }] });
      await watch();
      const error = await at(before).catch((cause) => cause);
      expect(error).toBeInstanceOf(HistoryUnavailable);
      const [{ from }] = error.parts;
      expect(from).toBeGreaterThan(before);
      expect(await at(from)).toEqual({ a: 1 });
      await expect(at(from - 1)).rejects.toBeInstanceOf(HistoryUnavailable);
      await watch();
      expect(await at(from)).toEqual({ a: 1 });
    });

    it("include acknowledged changes that are not in the log yet", async () => {
      await put("a", 1);
      await put("b", 1);
      await watch();
      await put("a", 2);
      await put("b", null);
      expect(await at(await put("c", 1))).toEqual({ a: 2, c: 1 });
      const brief = await put("d", 1);
      expect(await at(await put("d", null))).toEqual({ a: 2, c: 1 });
      expect(await at(brief)).toEqual({ a: 2, c: 1, d: 1 });
    });

    it("keep the revision of a change during the comparison with the log", async () => {
      await put("a", 1);
      await watch({
        relay: async (name) => {
          await relay().relay(name);
          await Promise.all([put("a", 2), put("b", 1)]);
        },
      });
      const numbers = await store.connection.documents.revisions("shares");
      expect([numbers.get("a")?.number, numbers.get("b")?.number]).toEqual([3, 2]);
      const authors = (await eventLog.log.find({ key: "shares/a" }, 9)).map(({ recordedBy }) => recordedBy);
      expect(new Set(authors)).toEqual(new Set(["tester"]));
    });

    it("reject while pending changes do not reach the log", async () => {
      await watch();
      const later = await put("a", 1);
      const stuck = () => Promise.reject(new Error("the log is away"));
      await expect(at(later, stuck)).rejects.toBeInstanceOf(EventLogUnavailable);
      expect(await at(later)).toEqual({ a: 1 });
      expect(await at(later, stuck)).toEqual({ a: 1 });
    });

    it("are recorded as found after external changes or a loss of the log", async () => {
      for (const name of ["kept", "changed", "gone"]) await put(name, { share: 1 });
      await watch();
      const before = await instant();
      edit("UPDATE documents SET value = ? WHERE name = ?", '{"share":9}', "changed");
      edit("UPDATE documents SET value = NULL WHERE name = ?", "gone");
      expect(await at(before)).toMatchObject({ changed: { share: 1 }, gone: { share: 1 } });
      await watch();
      expect(await at(before)).toMatchObject({ changed: { share: 1 }, gone: { share: 1 } });
      expect(await at(Date.now())).toEqual({ kept: { share: 1 }, changed: { share: 9 } });
      const notified = async (key: string) =>
        (await eventLog.log.find({ key: `shares/${key}` }, 9)).map(({ recordedBy }) => recordedBy);
      expect(await notified("changed")).toEqual(["external", "tester"]);
      expect(await notified("kept")).toEqual(["tester"]);

      await eventLog[Symbol.asyncDispose]();
      eventLog = openEventLog({ kind: "sqlite", file: join(folder, "another.db") });
      await expect(at(Date.now())).rejects.toBeInstanceOf(HistoryUnavailable);
      await watch();
      expect(await at(Date.now())).toEqual({ kept: { share: 1 }, changed: { share: 9 } });
      await expect(at(before)).rejects.toBeInstanceOf(HistoryUnavailable);
    });
  });

  describe("the items of feeds at a past time", () => {
    let known: Timeline;
    beforeEach(() => {
      known = new Timeline();
    });
    const recorder = (now: () => number = Date.now) => recordItems("shows", store.connection.documents, uuidv7, now);
    /** Records a change as `KnownItems` does; returns an instant after it. */
    const change = async (items: readonly KnownItem[], records = recorder(), epoch?: string) => {
      await records(items, known, epoch);
      known.put(items);
      return instant();
    };
    const at = async (when: number) => {
      const { value: items } = await asOf(when).itemsOf("shows");
      return items.map(({ id, isOffered, features }) => `${id}${isOffered ? "+" : "-"}${features.length}`).toSorted();
    };
    const records = async () =>
      (await recordsIn(store.connection)).flatMap((record) =>
        record.of === "document" && record.collection === feedsCollection ? [itemsRecordIn(record.value)] : [],
      );
    const many = (count: number, changes: Partial<KnownItem> = {}) =>
      Array.from({ length: count }, (_, index) => anItem(`${index}`, changes));

    it("are the last record of each, without changes that affect no feature", async () => {
      const first = await change([anItem("1"), anItem("2", { isOffered: false }), anItem("3", { features: [] })]);
      await change([anItem("1", { title: "Other", lastListedAt: 7 })]);
      const second = await change([anItem("1", { isOffered: false }), anItem("2", { features: [] })]);
      expect(await at(first)).toEqual(["1+1", "2-1"]);
      expect(await at(second)).toEqual(["1-1", "2+0"]);
    });

    it("are unknown before the first record, and name its time", async () => {
      const before = await instant();
      await expect(at(before)).rejects.toThrow(HistoryUnavailable);
      await change([]);
      const error = await at(before).catch((cause) => cause);
      expect(error.parts).toEqual([{ name: "shows", from: expect.any(Number) }]);
      expect(error.parts[0].from).toBeGreaterThanOrEqual(before);
      expect(await at(await instant())).toEqual([]);
    });

    it("begin with all known items, in records of at most 500, followed by changes", async () => {
      known.put(many(1_100));
      const after = await change([anItem("0", { isOffered: false })]);
      expect((await records()).map(({ items, isWhole, count }) => [items.length, isWhole, count])).toEqual([
        [500, false, 500],
        [500, false, 1_000],
        [100, true, 1_100],
        [1, true, 1_101],
      ]);
      const items = await at(after);
      expect([items.length, items.includes("0-1")]).toEqual([1_100, true]);
    });

    it("use a base that is written again after a day, if an item changes", async () => {
      const yesterday = recorder(() => Date.now() - dayMs - 1_000);
      const first = await change([anItem("1"), anItem("2")], yesterday);
      await change([]);
      expect(await records()).toHaveLength(2);
      const second = await change([anItem("1", { isOffered: false })]);
      const [base, , anew] = await records();
      expect([anew?.items.length, anew?.base === base?.base]).toEqual([2, false]);
      expect([await at(first), await at(second)]).toEqual([
        ["1+1", "2+1"],
        ["1-1", "2+1"],
      ]);
    });

    it("use a base that is written again after many changes", async () => {
      await change([anItem("1")]);
      for (let round = 0; round < 5; round++) await change(many(500, { isOffered: round % 2 === 0 }));
      const after = await change([anItem("1", { isOffered: false })]);
      const all = await records();
      expect(new Set(all.map(({ base }) => base)).size).toBe(2);
      expect(await at(after)).toHaveLength(500);
    });

    it("use the previous base if one is incomplete, which is written again", async () => {
      const first = await change([anItem("1")]);
      const { documents } = store.connection;
      const last = await documents.get(feedsCollection, "shows");
      const id = uuidv7();
      const half = { ...itemsRecordIn(last?.value ?? null), base: id, isWhole: false, items: [] };
      await documents.put({ id, by: "external", collection: feedsCollection, name: "shows", value: half as never });
      expect(await at(await instant())).toEqual(await at(first));
      const after = await change([anItem("2")]);
      expect(await at(after)).toEqual(["1+1", "2+1"]);
    });

    it("begin again if the store differs from the record", async () => {
      await change([anItem("1")], recorder(), undefined);
      await change([anItem("2")], recorder(), "one");
      known = new Timeline();
      await store.connection.documents.put({
        id: uuidv7(),
        by: "external",
        collection: feedsCollection,
        name: "shows",
        value: {
          ...itemsRecordIn((await store.connection.documents.get(feedsCollection, "shows"))?.value ?? null),
          epoch: "one",
        } as never,
      });
      const after = await change([anItem("3")], recorder(), "other");
      expect(await at(after)).toEqual(["3+1"]);
    });

    it("include concurrent records of two processes", async () => {
      await Promise.all([change([anItem("1")]), change([anItem("2")]), change([anItem("3")])]);
      expect(await at(await instant())).toEqual(["1+1", "2+1", "3+1"]);
    });

    it("are unknown if retention has removed their base", async () => {
      await change([anItem("1")]);
      await drain();
      const cut = Date.now();
      await instant();
      const after = await change([anItem("2")]);
      await drain();
      const recordAt = {
        id: uuidv7(),
        component: "tidegate",
        environment: "test",
        email: "a@b.example",
        message: "expired",
        data: {},
        at: Date.now(),
        recordedBy: "external",
      };
      await eventLog.log.expire(cut, recordAt);
      await expect(at(after)).rejects.toThrow(HistoryUnavailable);
    });
  });
});
