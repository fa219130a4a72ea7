import { describe, expect, it } from "vitest";
import { PastFeatureSets } from "../../../src/application/explain/past-feature-sets.ts";
import { SetsAsOf } from "../../../src/application/explain/sets-as-of.ts";
import type { Revision } from "../../../src/domain/admin/change.ts";
import { EventLogUnavailable, HistoryUnavailable, StoreDataInvalid } from "../../../src/domain/errors.ts";
import { MemoryHistory, type Told } from "../../support/memory-history.ts";

function recalling(completeSince?: number) {
  const history = new MemoryHistory();
  /** What the store has recorded, and what of it is on its way. */
  const store = {
    present: undefined as Revision | undefined,
    waiting: [] as Told[],
    revisions: async () => [store.present],
    drain: async () => void history.tell(...store.waiting.splice(0)),
  };
  const recall = new SetsAsOf(history, store, async () => completeSince);
  return { history, store, recall, at: (key: string, at: number) => recall.read("store", key, at) };
}

describe("a set at a past moment", () => {
  it("holds what was recorded up to then", async () => {
    const { history, at } = recalling();
    history.tell({ key: "s", at: 10, members: ["a"] }, { key: "s", at: 20, added: ["b"], removed: ["a"] });
    history.tell({ key: "s", at: 15, members: ["x"], store: "other" });
    expect(await Promise.all([10, 19, 20, 1_000].map((moment) => at("s", moment)))).toEqual([
      ["a"],
      ["a"],
      ["b"],
      ["b"],
    ]);
  });

  it("is not known before its first record, and from when on it is, is said", async () => {
    const { history, at } = recalling();
    history.tell({ key: "s", at: 10, members: ["a"] });
    await expect(at("s", 9)).rejects.toBeInstanceOf(HistoryUnavailable);
    await expect(at("s", 9)).rejects.toMatchObject({ parts: [{ name: "s", from: 10 }] });
    await expect(at("never", 9)).rejects.toMatchObject({ parts: [{ name: "never" }] });
  });

  it("is not known while its members were too many to be recorded", async () => {
    const { history, at } = recalling(0);
    history.tell({ key: "s", at: 10, origin: "baseline", size: 2_000 }, { key: "s", at: 20, added: ["b"] });
    await expect(at("s", 25)).rejects.toMatchObject({ code: "not-known", parts: [{ name: "s" }] });
  });

  it("was empty where the log tells of all sets of its kind, and of none under this key", async () => {
    const { history, at } = recalling(5);
    history.tell({ key: "s", at: 10, added: ["a"], members: ["a"] });
    expect(await Promise.all([at("none", 5), at("s", 9), at("s", 10)])).toEqual([[], [], ["a"]]);
    await expect(at("s", 4)).rejects.toMatchObject({ parts: [{ name: "s", from: 5 }] });
  });

  it("is told only once all that was recorded of it has reached the log", async () => {
    const { history, store, at } = recalling();
    history.tell({ key: "s", at: 10, members: ["a"] });
    store.present = { epoch: "e", number: 2 };
    store.waiting = [{ key: "s", at: 20, added: ["b"] }];
    expect(await at("s", 20)).toEqual(["a", "b"]);
    store.present = { epoch: "f", number: 1 };
    store.waiting = [{ key: "s", at: 30, members: ["c"], revision: { epoch: "f", number: 1 } }];
    expect([await at("s", 29), await at("s", 30)]).toEqual([["a", "b"], ["c"]]);
  });

  it("cannot be told where a record of it does not reach the log", async () => {
    const { history, store, at } = recalling();
    history.tell({ key: "s", at: 10, members: ["a"] });
    store.present = { epoch: "e", number: 2 };
    await expect(at("s", 10)).rejects.toBeInstanceOf(EventLogUnavailable);
    store.present = { epoch: "e", number: 1 };
    expect(await at("s", 10)).toEqual(["a"]);
  });

  it("cannot be told while the log, or the store that may have more for it, does not answer", async () => {
    const { history, store, at } = recalling();
    history.tell({ key: "s", at: 10, members: [] });
    store.revisions = () => Promise.reject(new Error("the store is away"));
    await expect(at("s", 10)).rejects.toBeInstanceOf(EventLogUnavailable);
    const fine = recalling();
    fine.history.fault = new Error("the log is away");
    await expect(fine.at("s", 10)).rejects.toMatchObject({ code: "log-unavailable", cause: fine.history.fault });
  });
});

describe("past feature sets", () => {
  it("are read as those of a store, and are true for their moment", async () => {
    const { history, recall } = recalling();
    history.tell({ key: "s", at: 10, members: ["good", "a\nb"] });
    const held = await new PastFeatureSets(recall, "store", 15).read("s", 2);
    expect(held.value).toEqual({ features: ["good"], skipped: 1 });
    expect([held.verifiedAt(99), held.isCurrent(15)]).toEqual([15, false]);
    await expect(new PastFeatureSets(recall, "store", 15).read("s", 1)).rejects.toBeInstanceOf(StoreDataInvalid);
  });
});
