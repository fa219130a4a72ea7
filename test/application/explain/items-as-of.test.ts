import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { v5 as uuidv5, v7 as uuidv7 } from "uuid";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { OutboxRelay } from "../../../src/application/events/outbox-relay.ts";
import { RecallItems } from "../../../src/application/explain/items-as-of.ts";
import { feedsCollection, itemsRecordIn } from "../../../src/application/feeds/items-record.ts";
import { RecordItems } from "../../../src/application/feeds/record-items.ts";
import type { Outbox } from "../../../src/domain/admin/outbox.ts";
import { HistoryUnavailable } from "../../../src/domain/errors.ts";
import type { KnownItem } from "../../../src/domain/feeds/item.ts";
import { Timeline } from "../../../src/domain/feeds/timeline.ts";
import { type OpenEventLog, openEventLog } from "../../../src/infrastructure/event-log/open-event-log.ts";
import { anItem } from "../../support/items.ts";
import { recordsIn, sqliteStore, type TestStore } from "../../support/stores.ts";
import { until } from "../../support/until.ts";

const dayMs = 24 * 60 * 60 * 1_000;

describe("the items of a feed at a past moment", () => {
  let folder: string;
  let store: TestStore;
  let eventLog: OpenEventLog;
  let outbox: Outbox;
  let known: Timeline;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "tidegate-items-"));
    store = sqliteStore(join(folder, "store.db"));
    eventLog = openEventLog({ kind: "sqlite", file: join(folder, "events.db") });
    outbox = store.connection.outbox();
    known = new Timeline();
  });
  afterEach(async () => {
    await outbox[Symbol.asyncDispose]();
    await eventLog[Symbol.asyncDispose]();
    await store[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  const drain = () =>
    new OutboxRelay(new Map([["features", outbox]]), eventLog.log, {
      environment: "test",
      now: Date.now,
      identityOf: async (store) => store,
      idFor: (text) => uuidv5(text, uuidv5.URL),
      foundUnusable: () => {},
    }).relay("features");
  const recorder = (now: () => number = Date.now) => new RecordItems("shows", store.connection.documents, uuidv7, now);
  /** Records a change as `KnownItems` does; answers a moment after it. */
  const change = async (items: readonly KnownItem[], records = recorder(), epoch?: string) => {
    await records.add(items, known, epoch);
    known.put(items);
    return moment();
  };
  const moment = async () => {
    const now = Date.now();
    await until(() => Date.now() > now + 1, "the clock goes on");
    return now;
  };
  const at = async (when: number) => {
    const recall = new RecallItems(eventLog.history, {
      revisions: (_, collection) => store.connection.documents.revisions(collection),
      drain,
    });
    const items = await recall.execute("features", "shows", when);
    return items.map(({ id, isOffered, features }) => `${id}${isOffered ? "+" : "-"}${features.length}`).toSorted();
  };
  const records = async () =>
    (await recordsIn(store.connection)).flatMap((record) =>
      record.of === "document" && record.collection === feedsCollection ? [itemsRecordIn(record.value)] : [],
    );
  const many = (count: number, changes: Partial<KnownItem> = {}) =>
    Array.from({ length: count }, (_, index) => anItem(`${index}`, changes));

  it("are the last that was recorded of each, with what changes no feature left out", async () => {
    const first = await change([anItem("1"), anItem("2", { isOffered: false }), anItem("3", { features: [] })]);
    await change([anItem("1", { title: "Other", lastListedAt: 7 })]);
    const second = await change([anItem("1", { isOffered: false }), anItem("2", { features: [] })]);
    expect(await at(first)).toEqual(["1+1", "2-1"]);
    expect(await at(second)).toEqual(["1-1", "2+0"]);
  });

  it("are unknown before the first record, which names from when on they are known", async () => {
    const before = await moment();
    await expect(at(before)).rejects.toThrow(HistoryUnavailable);
    await change([]);
    const error = await at(before).catch((cause) => cause);
    expect(error.parts).toEqual([{ name: "shows", from: expect.any(Number) }]);
    expect(error.parts[0].from).toBeGreaterThanOrEqual(before);
    expect(await at(await moment())).toEqual([]);
  });

  it("begin with what was known, in records of at most 500 items, and only then with what changes", async () => {
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

  it("are told from a base that is written anew after a day, if something changes", async () => {
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

  it("are told from a base that is written anew after many changes", async () => {
    await change([anItem("1")]);
    for (let round = 0; round < 5; round++) await change(many(500, { isOffered: round % 2 === 0 }));
    const after = await change([anItem("1", { isOffered: false })]);
    const all = await records();
    expect(new Set(all.map(({ base }) => base)).size).toBe(2);
    expect(await at(after)).toHaveLength(500);
  });

  it("are told from the base before where one was not written whole, which is begun anew", async () => {
    const first = await change([anItem("1")]);
    const { documents } = store.connection;
    const last = await documents.get(feedsCollection, "shows");
    const id = uuidv7();
    const half = { ...itemsRecordIn(last?.value ?? null), base: id, isWhole: false, items: [] };
    await documents.put({ id, by: "external", collection: feedsCollection, name: "shows", value: half as never });
    expect(await at(await moment())).toEqual(await at(first));
    const after = await change([anItem("2")]);
    expect(await at(after)).toEqual(["1+1", "2+1"]);
  });

  it("begin anew where the store has other items than were recorded", async () => {
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

  it("hold what two processes recorded at the same time", async () => {
    await Promise.all([change([anItem("1")]), change([anItem("2")]), change([anItem("3")])]);
    expect(await at(await moment())).toEqual(["1+1", "2+1", "3+1"]);
  });

  it("are unknown where retention has removed what later records build on", async () => {
    await change([anItem("1")]);
    await drain();
    const cut = Date.now();
    await moment();
    const after = await change([anItem("2")]);
    await drain();
    const telling = {
      id: uuidv7(),
      component: "tidegate",
      environment: "test",
      email: "a@b.example",
      message: "expired",
      data: {},
      at: Date.now(),
      recordedBy: "external",
    };
    await eventLog.log.expire(cut, telling);
    await expect(at(after)).rejects.toThrow(HistoryUnavailable);
  });
});
