import { describe, expect, it } from "vitest";
import { feedChanges } from "../../../src/application/explain/feed-changes.ts";
import { feedsCollection, recordedItem } from "../../../src/application/feeds/items-record.ts";
import { uncachedRead } from "../../../src/domain/evaluation/cached-read.ts";
import type { Json } from "../../../src/domain/evaluation/feature.ts";
import type { Event } from "../../../src/domain/events/event.ts";
import type { KnownItem } from "../../../src/domain/feeds/item.ts";
import { anItem } from "../../support/items.ts";

/** The record of changed items at a time, which is also its id. */
function recordAt(at: number, ...items: readonly KnownItem[]): Event {
  const value = { base: "b", since: "", isWhole: true, epoch: null, count: 0, items: items.map(recordedItem) };
  const revision = { epoch: "e", number: at };
  const change = { id: `${at}`, by: "external", at, revision, collection: feedsCollection, name: "shows" };
  const record = { of: "document", ...change, value: value as unknown as Json } as const;
  const event = { id: record.id, component: "tidegate", environment: "", email: "", message: "", data: {}, hash: "" };
  return { ...event, at, recordedBy: "external", position: at, change: { store: "features", record } };
}

/** The records that switched features between 100 and 200, each with those that it switched on, and off. */
async function changesOf(features: readonly string[], known: readonly KnownItem[], ...records: readonly Event[]) {
  const changes = feedChanges(
    { documentChangesOf: async () => records },
    (source) => (source === "shows" ? "features" : undefined),
    async () => uncachedRead(known, 100),
  );
  const found = await changes("shows", 100, 200, features);
  return found.map(({ change: { event, added, removed } }) => [event, added.join(), removed.join()]);
}

describe("the record of a feed that switched a feature", () => {
  it("is the one that lists an item of it, or offers it, or ends it", async () => {
    const offered = recordAt(120, anItem("1", { isOffered: true }), anItem("2"));
    const known = [anItem("1", { isOffered: false }), anItem("3")];
    expect(
      await changesOf(["item_1", "item_2", "item_3"], known, offered, recordAt(130, anItem("3", { onUntil: 125 }))),
    ).toEqual([
      ["120", "item_1,item_2", ""],
      ["130", "", "item_3"],
    ]);
  });

  it("is not one that repeats its items, as a base does, or changes another item of the feature", async () => {
    const both = { features: ["x"] };
    const known = [anItem("1", both), anItem("2", { ...both, isOffered: false })];
    const records = [
      recordAt(120, ...known),
      recordAt(130, anItem("2", both)),
      recordAt(140, anItem("1", { features: [] })),
    ];
    expect(await changesOf(["x"], known, ...records)).toEqual([]);
    expect(await changesOf(["x"], known, ...records, recordAt(150, anItem("2", { features: [] })))).toEqual([
      ["150", "", "x"],
    ]);
  });

  it("is none for an item that starts or ends meanwhile", async () => {
    const known = [anItem("1", { onFrom: 110, onUntil: 140 })];
    const later = recordAt(130, anItem("1", { onFrom: 110, onUntil: 160 }));
    expect(await changesOf(["item_1"], known, later)).toEqual([]);
  });

  it("is none in a source that is no feed", async () => {
    const changes = feedChanges(
      { documentChangesOf: () => Promise.reject(new Error("not asked")) },
      () => undefined,
      () => Promise.reject(new Error("not asked")),
    );
    expect(await changes("global", 100, 200, ["item_1"])).toEqual([]);
  });
});
