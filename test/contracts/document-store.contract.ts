import { v7 as uuidv7 } from "uuid";
import { describe, expect, it } from "vitest";
import type { ChangeMeta, ChangeRecord, DocumentRecord } from "../../src/domain/admin/change.ts";
import type { DocumentStore } from "../../src/domain/admin/document-store.ts";
import { RevisionMismatch } from "../../src/domain/errors.ts";
import type { Json } from "../../src/domain/evaluation/feature.ts";

/** A store of documents. */
export type DocumentStoreUnderTest = {
  readonly documents: DocumentStore;
  /** The records in the store's outbox, in order. */
  readonly records: () => Promise<readonly ChangeRecord[]>;
};

/** The contract of DocumentStore. */
export function documentStoreContract(open: () => DocumentStoreUnderTest): void {
  const change = () => ({ id: uuidv7(), by: "alice" });

  const opened = (collection: string) => {
    const { documents, records } = open();
    return {
      documents,
      records,
      put: (name: string, value: Json, more: Partial<ChangeMeta> = {}) =>
        documents.put({ ...change(), collection, name, value, ...more }),
      value: async (name: string) => (await documents.get(collection, name))?.value,
      recordsOf: async () =>
        (await records()).filter(
          (record): record is DocumentRecord => record.of === "document" && record.collection === collection,
        ),
    };
  };

  describe("DocumentStore", () => {
    it("returns the stored document, and the previous one on a change", async () => {
      const { put, value } = opened("kept");
      expect(await value("one")).toBeUndefined();
      expect((await put("one", { a: 1 })).before).toBeUndefined();
      expect(await value("one")).toEqual({ a: 1 });
      expect((await put("one", { a: 2 })).before).toEqual({ a: 1 });
      expect(await value("one")).toEqual({ a: 2 });
    });

    it.each<[Json]>([
      [{}],
      [[]],
      [[[], {}, [{}]]],
      [{ empty: "", zero: 0, no: false, nothing: null, deep: { list: [1.5, -0.25, "x"] } }],
      ["a text"],
      [0],
      [false],
      [1_795_000_000_000],
      ["Füße 機能 🚩 \"\\/\b\f\n\r\t \u2028 ' {x} %s"],
      [{ "": 1, "a b": 2, constructor: 3, toString: 4 }],
    ])("returns %j unchanged", async (given) => {
      const { put, value, recordsOf } = opened("values");
      await put("given", given);
      expect(await value("given")).toEqual(given);
      expect((await put("given", null)).before).toEqual(given);
      expect((await recordsOf()).at(-2)?.value).toEqual(given);
    });

    it("starts an epoch on request, later than the last record", async () => {
      const { documents, put, value, recordsOf } = opened("epochs");
      await put("one", 1);
      const { revision } = await put("one", 2);
      const change = { id: uuidv7(), by: "alice", collection: "epochs", name: "one", value: 2 };
      const begun = await documents.put({ ...change, ifRevision: revision, newEpoch: true });
      expect(begun).toEqual({ before: 2, revision: { epoch: change.id, number: 1 } });
      expect((await put("one", 3)).revision).toEqual({ epoch: change.id, number: 2 });
      expect(await value("one")).toBe(3);
      const times = (await recordsOf()).map(({ at }) => at);
      expect(times).toEqual(times.toSorted((a, b) => a - b));
    });

    it("removes a document that is set to null", async () => {
      const { put, value, documents } = opened("removed");
      await put("gone", "x");
      await put("stays", "y");
      expect((await put("gone", null)).before).toBe("x");
      expect(await value("gone")).toBeUndefined();
      expect([...(await documents.all("removed")).keys()]).toEqual(["stays"]);
      expect((await put("gone", null)).before).toBeUndefined();
    });

    it("lists the documents of one collection only", async () => {
      const { put, documents } = opened("list");
      const names = Array.from({ length: 300 }, (_, index) => `name_${index}`);
      for (const name of names) await put(name, { name });
      for (const other of ["lis", "list:", "list:name_1", "List"]) {
        await documents.put({ ...change(), collection: other, name: "name_1", value: "other" });
      }
      const all = await documents.all("list");
      expect([...all.keys()].sort()).toEqual(names.sort());
      expect(all.get("name_7")).toEqual(await documents.get("list", "name_7"));
      expect(await documents.all("none")).toEqual(new Map());
    });

    it("accepts names of any form", async () => {
      const { put, value } = opened("names");
      const names = ["a b", "a:b", "a", "b", "{a}", "Füße", "機能", "*", "[a]", "__proto__", "constructor", "%", "'"];
      for (const name of names) await put(name, name);
      for (const name of names) expect(await value(name)).toBe(name);
    });

    it("numbers the revisions of each document without a gap, even across its removal", async () => {
      const { put, documents } = opened("counted");
      const first = change();
      const revisions = [];
      for (const [index, value] of ["a", "b", null, "c"].entries()) {
        revisions.push((await put("one", value, index === 0 ? first : {})).revision);
        await put("other", value);
      }
      expect(revisions).toEqual([1, 2, 3, 4].map((number) => ({ epoch: first.id, number })));
      expect((await documents.get("counted", "one"))?.revision).toEqual(revisions.at(-1));
      const { revision: gone } = await put("gone", null);
      const all = await documents.revisions("counted");
      expect([...all.keys()].sort()).toEqual(["gone", "one", "other"]);
      expect([all.get("one"), all.get("gone")]).toEqual([revisions.at(-1), gone]);
      expect(await documents.revisions("none")).toEqual(new Map());
    });

    it("records each change, even without an effect", async () => {
      const { put, recordsOf } = opened("recorded");
      const first = { ...change(), email: "alice@example.org", note: "a new one" };
      const changes = [first, { id: uuidv7(), by: "bob" }, change(), change()];
      const values = ["a", "a", null, null];
      for (const [index, value] of values.entries()) await put("one", value, changes[index]);
      const found = await recordsOf();
      expect(found).toEqual(
        changes.map((author, index) => ({
          of: "document",
          collection: "recorded",
          name: "one",
          ...author,
          value: values[index],
          at: expect.any(Number),
          revision: { epoch: first.id, number: index + 1 },
        })),
      );
      const times = found.map(({ at }) => at);
      expect(times).toEqual(times.toSorted((a, b) => a - b));
    });

    it("applies a change only at its expected revision, or to an absent document", async () => {
      const { put, value, recordsOf } = opened("conditional");
      const { revision } = await put("one", "a", { ifRevision: null });
      await expect(put("one", "b", { ifRevision: null })).rejects.toThrow(RevisionMismatch);
      const second = await put("one", "b", { ifRevision: revision });
      await expect(put("one", "c", { ifRevision: revision })).rejects.toThrow(RevisionMismatch);
      const elsewhere = { ...second.revision, epoch: uuidv7() };
      await expect(put("one", "c", { ifRevision: elsewhere })).rejects.toThrow(RevisionMismatch);
      await expect(put("none", "c", { ifRevision: revision })).rejects.toThrow(RevisionMismatch);
      expect(await value("one")).toBe("b");
      await put("one", null);
      await put("one", "d", { ifRevision: null });
      expect(await value("one")).toBe("d");
      expect((await recordsOf()).map((record) => record.value)).toEqual(["a", "b", null, "d"]);
    });

    it("applies one of several concurrent changes of a revision", async () => {
      const { put, value, recordsOf } = opened("raced");
      const { revision } = await put("one", "start");
      const tries = Array.from({ length: 20 }, (_, index) => put("one", `${index}`, { ifRevision: revision }));
      const outcomes = await Promise.allSettled(tries);
      const winners = outcomes.flatMap(({ status }, index) => (status === "fulfilled" ? [`${index}`] : []));
      expect(winners).toHaveLength(1);
      expect(await value("one")).toBe(winners[0]);
      expect(await recordsOf()).toHaveLength(2);
    });

    it("applies a change once per idempotency key, and returns its first result", async () => {
      const { put, value, recordsOf } = opened("once");
      const first = await put("one", "a", { idempotencyKey: "job" });
      await put("one", "b");
      expect(await put("one", "c", { idempotencyKey: "job" })).toEqual(first);
      expect(await value("one")).toBe("b");
      const other = await put("other", "c", { idempotencyKey: "job" });
      expect(other.revision).not.toEqual(first.revision);
      expect(await recordsOf()).toHaveLength(3);
    });

    it("has a record for each of many concurrent changes", async () => {
      const { put, value, recordsOf } = opened("at once");
      await Promise.all(Array.from({ length: 50 }, (_, index) => put("one", index)));
      const found = await recordsOf();
      expect(found.map(({ revision }) => revision.number)).toEqual(Array.from({ length: 50 }, (_, index) => index + 1));
      expect(new Set(found.map((record) => record.value)).size).toBe(50);
      expect(found.at(-1)?.value).toBe(await value("one"));
    });
  });
}
