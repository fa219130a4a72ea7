import { beforeEach, describe, expect, it } from "vitest";
import type { KnownItem, PollState } from "../../src/domain/feeds/item.ts";
import type { ItemStore } from "../../src/domain/feeds/item-store.ts";
import { anItem } from "../support/items.ts";

const state: PollState = {
  triedAt: 2,
  succeededAt: 1,
  failure: "the host does not answer",
  breaker: "open",
  pausedUntil: 30_000,
  listed: 3,
  invalid: 1,
  faults: [{ id: null, fault: "has no title" }],
  validators: { of: "digest", etag: '"1"', lastModified: null },
};

/** The contract of ItemStore. `open` returns an empty store for each test. */
export function itemStoreContract(open: () => ItemStore): void {
  describe("ItemStore", () => {
    let store: ItemStore;
    beforeEach(() => {
      store = open();
    });

    /** All items, read in pages. */
    async function all(provider: string, limit: number): Promise<readonly KnownItem[]> {
      const items: KnownItem[] = [];
      let page = await store.since(provider, undefined, limit);
      while (page.items.length > 0) {
        items.push(...page.items);
        page = await store.since(provider, page.revision, limit);
      }
      return items;
    }

    it("returns nothing for a new feed", async () => {
      expect(await store.since("nobody", undefined, 10)).toEqual({
        items: [],
        revision: undefined,
        state: undefined,
      });
    });

    it("returns items unchanged, even unusual ones", async () => {
      const odd = anItem("__proto__", {
        title: 'Ünï "quoted" \u2028 {}',
        metadata: { constructor: [1, null, { a: true }] },
        minPrice: 0.1,
        lastListedAt: 7,
      });
      await store.put("odd", [anItem("1"), odd]);
      expect(await all("odd", 10)).toEqual([anItem("1"), odd]);
    });

    it("returns all items in pages, in the order of their changes", async () => {
      const items = Array.from({ length: 25 }, (_, index) => anItem(`${(index * 7) % 25}`));
      await store.put("pages", items.slice(0, 10));
      await store.put("pages", items.slice(10));
      expect(await all("pages", 4)).toEqual(items);
    });

    it("returns only items changed after a revision, each once", async () => {
      await store.put("news", [anItem("1"), anItem("2"), anItem("3")]);
      const { revision } = await store.since("news", undefined, 10);
      expect((await store.since("news", revision, 10)).items).toEqual([]);
      await store.put("news", [anItem("2", { title: "second" })]);
      await store.put("news", [anItem("4"), anItem("2", { title: "third" })]);
      const news = await store.since("news", revision, 10);
      expect(news.items).toEqual([anItem("4"), anItem("2", { title: "third" })]);
      expect(news.revision?.epoch).toBe(revision?.epoch);
    });

    it("returns all items for a revision of another epoch", async () => {
      await store.put("epochs", [anItem("1")]);
      const news = await store.since("epochs", { epoch: "of a store that was lost", number: 1_000 }, 10);
      expect(news.items).toEqual([anItem("1")]);
      expect(news.revision?.epoch).not.toBe("of a store that was lost");
    });

    it("separates feeds", async () => {
      await store.put("one", [anItem("1", { title: "one" })]);
      await store.put("two", [anItem("1", { title: "two" })]);
      await store.saveState("one", state);
      expect((await store.since("one", undefined, 10)).items).toEqual([anItem("1", { title: "one" })]);
      expect((await store.since("two", undefined, 10)).state).toBeUndefined();
    });

    it("stores the last state, even without items", async () => {
      await store.saveState("empty", { ...state, listed: 0 });
      await store.saveState("empty", state);
      expect(await store.since("empty", undefined, 10)).toMatchObject({ items: [], state });
    });

    it("applies concurrent batches as a whole", async () => {
      const batch = (title: string) => Array.from({ length: 100 }, (_, index) => anItem(`${index}`, { title }));
      await Promise.all([store.put("both", batch("one")), store.put("both", batch("other"))]);
      const titles = new Set((await all("both", 1_000)).map(({ title }) => title));
      expect(titles.size).toBe(1);
    });
  });
}
