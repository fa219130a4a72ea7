import { describe, expect, it } from "vitest";
import type { FeatureStore } from "../../src/domain/admin/feature-store.ts";
import type { Outbox } from "../../src/domain/events/outbox.ts";
import { changeOf } from "../support/stores.ts";
import { until } from "../support/until.ts";

/** An empty store, its outbox, and a way to add an entry that is no record of a key. */
export type OutboxUnderTest = {
  readonly changes: FeatureStore;
  readonly outbox: () => Outbox;
  readonly spoil: (key: string, text: string) => Promise<void>;
};

/** The contract of Outbox. */
export function outboxContract(open: () => OutboxUnderTest): void {
  /** Changes a set; returns the ids of the changes. */
  async function change({ changes }: OutboxUnderTest, key: string, count: number): Promise<readonly string[]> {
    const made = Array.from({ length: count }, (_, index) => changeOf(key, { add: [`feature_${index}`] }));
    for (const each of made) await changes.apply(each);
    return made.map(({ id }) => id);
  }

  const idsOf = (entries: Awaited<ReturnType<Outbox["read"]>>, key: string) =>
    entries.flatMap(({ records = [] }) =>
      records.flatMap((record) => (record.of === "set" && record.key === key ? [record.id] : [])),
    );

  describe("Outbox", () => {
    it("is empty at first", async () => {
      await using outbox = open().outbox();
      expect(await outbox.read(10)).toEqual([]);
      expect(await outbox.backlog()).toEqual({ entries: 0, oldest: undefined });
    });

    it("returns the records of each item in order", async () => {
      const store = open();
      const [a, b] = [await change(store, "store:a", 5), await change(store, "store:b", 3)];
      await using outbox = store.outbox();
      const entries = await outbox.read(100);
      expect(idsOf(entries, "store:a").slice(-5)).toEqual(a);
      expect(idsOf(entries, "store:b").slice(-3)).toEqual(b);
      expect(entries.map(({ text }) => JSON.parse(text))).toEqual(entries.flatMap(({ records }) => records));
    });

    it("returns the same entries to each reader until they are removed", async () => {
      const store = open();
      const ids = await change(store, "store:a", 9);
      await using outbox = store.outbox();
      await using other = store.outbox();
      const first = await outbox.read(4);
      expect(first).toHaveLength(4);
      expect(idsOf(await outbox.read(4), "store:a")).toEqual(idsOf(first, "store:a"));
      expect(idsOf(await other.read(4), "store:a")).toEqual(idsOf(first, "store:a"));
      await outbox.remove(first);
      expect(idsOf(await other.read(100), "store:a")).toEqual(ids.slice(3));
    });

    it("ignores the removal of absent entries", async () => {
      const store = open();
      await change(store, "store:a", 1);
      await using outbox = store.outbox();
      const entries = await outbox.read(10);
      await outbox.remove(entries);
      const later = await change(store, "store:a", 1);
      await outbox.remove(entries);
      await outbox.remove([]);
      await until(async () => (await outbox.read(10)).length > 0, "the later change is read");
      expect(idsOf(await outbox.read(10), "store:a")).toEqual(later);
    });

    it("is emptied by repeated reads and removals", async () => {
      const store = open();
      const keys = Array.from({ length: 30 }, (_, index) => `store:${index}`);
      const ids = (await Promise.all(keys.map((key) => change(store, key, 4)))).flat();
      await using outbox = store.outbox();
      const seen: string[] = [];
      for (let entries = await outbox.read(7); entries.length > 0; entries = await outbox.read(7)) {
        seen.push(...entries.flatMap(({ records = [] }) => records.map(({ id }) => id)));
        await outbox.remove(entries);
      }
      expect(seen).toHaveLength(ids.length + keys.length);
      expect(new Set(seen).isSupersetOf(new Set(ids))).toBe(true);
      expect(await outbox.backlog()).toEqual({ entries: 0, oldest: undefined });
    });

    it("returns the number of entries and the age of the oldest", async () => {
      const store = open();
      await change(store, "store:a", 2);
      await change(store, "store:b", 1);
      await using outbox = store.outbox();
      const { entries, oldest } = await outbox.backlog();
      expect(entries).toBe(5);
      expect(oldest).toBe(Math.min(...(await outbox.read(10)).map(({ records }) => records?.[0]?.at ?? 0)));
    });

    it("notifies its listeners of a new entry", async () => {
      const store = open();
      await using outbox = store.outbox();
      await outbox.read(10);
      let calls = 0;
      outbox.listen(() => calls++);
      const [id] = await change(store, "store:a", 1);
      await until(() => calls > 0, "the listener is called");
      await until(async () => idsOf(await outbox.read(10), "store:a").includes(String(id)), "the change is read");
    });

    it.each([
      ["no JSON", "{"],
      ["of another shape", '{"of":"set","key":"store:a"}'],
      ["of an unknown kind", '{"of":"nothing"}'],
    ])("returns an entry that is no record unchanged, and the others with it (%s)", async (_, text) => {
      const store = open();
      await store.spoil("store:a", text);
      const [id] = await change(store, "store:a", 1);
      await using outbox = store.outbox();
      const entries = await outbox.read(10);
      const spoilt = entries.filter(({ records }) => records === undefined);
      expect(spoilt.map((entry) => entry.text)).toEqual([text]);
      expect(idsOf(entries, "store:a")).toContain(id);
      await outbox.remove(spoilt);
      expect((await outbox.read(10)).every(({ records }) => records)).toBe(true);
    });
  });
}
