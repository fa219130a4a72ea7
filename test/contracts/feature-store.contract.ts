import { describe, expect, it } from "vitest";
import type { SetRecord } from "../../src/domain/admin/change.ts";
import type { FeatureStore, SetAddress, SetChange, SetChangeResult } from "../../src/domain/admin/feature-store.ts";
import { RevisionMismatch } from "../../src/domain/errors.ts";
import type { FeatureSets } from "../../src/domain/evaluation/feature-sets.ts";
import type { Outbox } from "../../src/domain/events/outbox.ts";
import type { SetRecorder } from "../../src/domain/events/set-recorder.ts";
import { changeOf } from "../support/stores.ts";
import { until } from "../support/until.ts";

/** An empty store to change, its readers, and ways to change it externally. */
export type FeatureStoreUnderTest = {
  readonly changes: FeatureStore & SetRecorder;
  readonly sets: FeatureSets;
  readonly outbox: () => Outbox;
  readonly put: (key: string, members: readonly string[]) => Promise<void>;
  readonly take: (key: string, members: readonly string[]) => Promise<void>;
};

const shared = (key: string) => ({ key, personal: false });
const personal = (key: string) => ({ key, personal: true });
const add = (key: string, ...features: readonly string[]): SetChange => changeOf(key, { add: features });
const remove = (key: string, ...features: readonly string[]): SetChange => changeOf(key, { remove: features });
const numbered = (count: number) => Array.from({ length: count }, (_, index) => `feature_${index}`);

const read = async ({ sets }: FeatureStoreUnderTest, key: string) =>
  (await sets.read(key, 20_000)).value.features.toSorted();

/** The records of a set, oldest first. */
async function recorded({ outbox }: FeatureStoreUnderTest, key: string): Promise<readonly SetRecord[]> {
  await using opened = outbox();
  const records = (await opened.read(10_000)).flatMap(({ records = [] }) => records);
  return records.filter((record) => record.of === "set" && record.key === key) as SetRecord[];
}

/** The content of a set by its records alone; `undefined` if they do not determine it. */
function folded(records: readonly SetRecord[]): readonly string[] | undefined {
  let set: Set<string> | undefined;
  for (const { added, removed, members, origin } of records) {
    if (members) set = new Set(members);
    else if (origin !== "change" && added.length + removed.length === 0) set = undefined;
    else set = set?.difference(new Set(removed)).union(new Set(added));
  }
  return set && [...set].sort();
}

/** Applies a fixed sequence of changes to nine features. */
async function wander(steps: number, acts: (feature: string) => readonly (() => Promise<unknown>)[]): Promise<void> {
  let seed = 1;
  const random = (below: number) => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % below;
  };
  for (let step = 0; step < steps; step++) {
    const possible = acts(`feature_${random(9)}`);
    await possible[random(possible.length)]?.();
  }
}

const changesOf = ({ changes }: FeatureStoreUnderTest, set: SetAddress, feature: string) => [
  () => changes.apply({ ...add(set.key, feature), ...set }),
  () => changes.apply({ ...remove(set.key, feature), ...set }),
  () => changes.reconcile(set),
];

/** The contract of FeatureStore and SetRecorder. */
export function featureStoreContract(open: () => FeatureStoreUnderTest): void {
  describe("FeatureStore", () => {
    it("rejects a change that would exceed the limit, without an effect", async () => {
      const store = open();
      const { changes } = store;
      await store.put("store:limited", ["a", "b"]);
      const limited = (more: Partial<SetChange>) => changes.apply({ ...changeOf("store:limited", more), limit: 3 });
      await expect(limited({ add: ["c", "d"] })).rejects.toMatchObject({ code: "change-too-large" });
      await expect(limited({ add: ["c", "d", "a"], remove: ["z"] })).rejects.toMatchObject({
        code: "change-too-large",
      });
      expect(await read(store, "store:limited")).toEqual(["a", "b"]);
      expect(await limited({ add: ["c", "d"], remove: ["a"] })).toMatchObject({ added: ["c", "d"], removed: ["a"] });
      expect(await limited({ add: ["c"] })).toMatchObject({ added: [] });
      await changes.apply(add("store:limited", "e", "f"));
      expect(await limited({ remove: ["e"] })).toMatchObject({ removed: ["e"] });
      await expect(limited({ add: ["g"], remove: ["f"] })).rejects.toMatchObject({ code: "change-too-large" });
      const records = await recorded(store, "store:limited");
      expect(folded(records)).toEqual(await read(store, "store:limited"));
      expect(records.map(({ revision }) => revision.number)).toEqual(records.map((_, index) => index + 1));
    });

    it("adds and removes features in one change", async () => {
      const store = open();
      await store.changes.apply(add("store:a", "one", "two"));
      await store.changes.apply(changeOf("store:a", { add: ["three"], remove: ["one"] }));
      expect(await read(store, "store:a")).toEqual(["three", "two"]);
    });

    it("returns the actual change", async () => {
      const { changes } = open();
      expect(await changes.apply(changeOf("store:a", { add: ["one", "two"], remove: ["nine"] }))).toMatchObject({
        added: ["one", "two"],
        removed: [],
      });
      expect(
        await changes.apply(changeOf("store:a", { add: ["two", "three"], remove: ["one", "nine"] })),
      ).toMatchObject({ added: ["three"], removed: ["one"] });
    });

    it("counts a repeated feature once", async () => {
      expect(await open().changes.apply(add("store:a", "one", "one"))).toMatchObject({ added: ["one"] });
    });

    it("changes 10,000 features in one change", async () => {
      const store = open();
      const features = numbered(10_000);
      const made = async (change: SetChange) => {
        let done: SetChangeResult | undefined;
        // A busy machine may need longer than the time limit of a store.
        const ask = async () => {
          done = await store.changes.apply({ ...change, idempotencyKey: change.id }).catch(() => undefined);
          return done !== undefined;
        };
        await until(ask, "it is done");
        return done;
      };
      expect((await made(add("store:a", ...features)))?.added).toEqual(features);
      expect((await made(remove("store:a", ...features)))?.removed).toEqual(features);
      expect(await read(store, "store:a")).toEqual([]);
    });

    it("records the actor and the actual effect of a change", async () => {
      const store = open();
      await store.changes.apply(add("store:a", "one", "two"));
      const notified = { email: "ana@example.org", note: 'for "Ana" ☂' };
      const change = { ...changeOf("store:a", { add: ["two", "three"], remove: ["one"] }), ...notified };
      const { revision } = await store.changes.apply(change);
      const { at, ...record } = (await recorded(store, "store:a")).at(-1) ?? {};
      expect(record).toEqual({
        of: "set",
        id: change.id,
        by: change.by,
        ...notified,
        key: "store:a",
        origin: "change",
        added: ["three"],
        removed: ["one"],
        size: 2,
        revision,
      });
      expect(Math.abs((at ?? 0) - Date.now())).toBeLessThan(60_000);
    });

    it("records a change without an effect", async () => {
      const store = open();
      await store.changes.apply(add("store:a", "one"));
      const { revision } = await store.changes.apply(add("store:a", "one"));
      const idle = await store.changes.apply(changeOf("store:a", {}));
      expect(idle).toEqual({ added: [], removed: [], revision: { ...revision, number: revision.number + 1 } });
      expect((await recorded(store, "store:a")).map(({ added, removed, size }) => [added, removed, size])).toEqual([
        [[], [], 0],
        [["one"], [], 1],
        [[], [], 1],
        [[], [], 1],
      ]);
    });

    it("applies all of many concurrent changes, numbered without a gap", async () => {
      const store = open();
      const features = numbered(50);
      await Promise.all(features.map((feature) => store.changes.apply(add("store:a", feature))));
      expect(await read(store, "store:a")).toEqual([...features].sort());
      const records = await recorded(store, "store:a");
      expect(new Set(records.map(({ revision }) => revision.epoch)).size).toBe(1);
      expect(records.map(({ revision }) => revision.number)).toEqual(
        Array.from({ length: 51 }, (_, index) => index + 1),
      );
      expect(new Set(records.map(({ id }) => id)).size).toBe(51);
      expect(records.map(({ at }) => at)).toEqual(records.map(({ at }) => at).sort((one, other) => one - other));
    });

    it.each([
      ["shared", shared("store:a")],
      ["personal", personal("store:a")],
    ])("starts with the content of a set at its first change (%s)", async (_, set) => {
      const store = open();
      await store.put("store:a", ["old", "older"]);
      await store.changes.apply({ ...add("store:a", "new"), ...set });
      const [baseline, change] = await recorded(store, "store:a");
      expect(baseline).toMatchObject({ origin: "baseline", by: "external", added: [], removed: [], size: 2 });
      expect(baseline?.members?.toSorted()).toEqual(["old", "older"]);
      expect(baseline?.revision.number).toBe(1);
      expect(change).toMatchObject({ origin: "change", added: ["new"], size: 3 });
      expect(change?.revision).toEqual({ epoch: baseline?.revision.epoch, number: 2 });
    });

    it("records the size of a large set instead of its members", async () => {
      const store = open();
      await store.put("store:a", numbered(1_001));
      await store.put("store:b", numbered(1_000));
      for (const key of ["store:a", "store:b"]) await store.changes.reconcile(shared(key));
      const [large] = await recorded(store, "store:a");
      expect([large?.size, large?.members]).toEqual([1_001, undefined]);
      expect((await recorded(store, "store:b"))[0]?.members).toHaveLength(1_000);
    });

    it("records the whole set in every 256th record", async () => {
      const store = open();
      for (let number = 2; number <= 513; number++) {
        await store.changes.apply(number % 2 ? remove("store:a", "one") : add("store:a", "one"));
      }
      const whole = (await recorded(store, "store:a")).filter(({ members }) => members);
      expect(whole.map(({ revision, members }) => [revision.number, members])).toEqual([
        [1, []],
        [256, ["one"]],
        [512, ["one"]],
      ]);
    });

    it("applies a change once per idempotency key, from any connection", async () => {
      const store = open();
      const change = () => ({ ...add("store:a", "one"), idempotencyKey: "retry {1}" });
      const first = await store.changes.apply(change());
      await store.changes.apply(remove("store:a", "one"));
      const again = await Promise.all(Array.from({ length: 8 }, () => store.changes.apply(change())));
      expect(again).toEqual(Array.from({ length: 8 }, () => first));
      expect(await read(store, "store:a")).toEqual([]);
      expect(await recorded(store, "store:a")).toHaveLength(3);
      expect((await store.changes.apply({ ...change(), idempotencyKey: "other" })).added).toEqual(["one"]);
      expect((await store.changes.apply({ ...change(), key: "store:b" })).added).toEqual(["one"]);
    });

    it("applies a change only at its expected revision", async () => {
      const store = open();
      const { revision } = await store.changes.apply({ ...add("store:a", "one"), ifRevision: null });
      const next = await store.changes.apply({ ...add("store:a", "two"), ifRevision: revision });
      expect(next.revision).toEqual({ ...revision, number: revision.number + 1 });
      for (const ifRevision of [revision, null, { ...next.revision, epoch: "another" }]) {
        const refused = store.changes.apply({ ...add("store:a", "three"), ifRevision });
        await expect(refused).rejects.toBeInstanceOf(RevisionMismatch);
      }
      expect(await read(store, "store:a")).toEqual(["one", "two"]);
      expect(await recorded(store, "store:a")).toHaveLength(3);
    });

    it("applies one of two changes of the same revision", async () => {
      const { changes } = open();
      const { revision: ifRevision } = await changes.apply(add("store:a", "one"));
      const both = ["two", "three"].map((feature) => changes.apply({ ...add("store:a", feature), ifRevision }));
      const results = await Promise.allSettled(both);
      expect(results.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    });

    it("begins a new epoch with the present members", async () => {
      const store = open();
      const { revision } = await store.changes.apply(add("store:a", "one", "two"));
      await store.changes.rebase(shared("store:a"));
      const last = (await recorded(store, "store:a")).at(-1);
      expect(last).toMatchObject({ origin: "baseline", size: 2, revision: { number: 1 } });
      expect(last?.members?.toSorted()).toEqual(["one", "two"]);
      expect(last?.revision.epoch).not.toBe(revision.epoch);
      const next = await store.changes.apply(add("store:a", "three"));
      expect(next.revision).toEqual({ epoch: last?.revision.epoch, number: 2 });
    });

    it("returns the revisions of sets in the given order", async () => {
      const { changes } = open();
      const one = await changes.apply(add("store:a", "one"));
      const other = await changes.apply(add("store:b", "one"));
      expect(await changes.revisions(["store:b", "store:never", "store:a"])).toEqual([
        other.revision,
        undefined,
        one.revision,
      ]);
      expect(await changes.revisions([])).toEqual([]);
    });

    it("writes records that add up to the members of the set", async () => {
      const store = open();
      await wander(200, (feature) => changesOf(store, shared("store:a"), feature));
      expect(folded(await recorded(store, "store:a"))).toEqual(await read(store, "store:a"));
    });
  });
}

/** The contract of a FeatureStore whose sets others may change too. */
export function externalChangesContract(open: () => FeatureStoreUnderTest): void {
  describe("FeatureStore with external changes", () => {
    it("records an external change before the next change", async () => {
      const store = open();
      await store.changes.apply(add("store:a", "one", "two"));
      await store.put("store:a", ["three", "four"]);
      await store.take("store:a", ["one"]);
      await store.changes.apply(add("store:a", "five"));
      const [external, change] = (await recorded(store, "store:a")).slice(-2);
      expect(external).toMatchObject({ origin: "external", by: "external", removed: ["one"], size: 3 });
      expect(external?.added.toSorted()).toEqual(["four", "three"]);
      expect(change).toMatchObject({ origin: "change", added: ["five"], size: 4 });
    });

    it("does not repeat an external change that a change requests too", async () => {
      const store = open();
      await store.changes.apply(add("store:a", "one"));
      await store.put("store:a", ["two"]);
      expect(await store.changes.apply(add("store:a", "two"))).toMatchObject({ added: [] });
      const [external, change] = (await recorded(store, "store:a")).slice(-2);
      expect([external?.origin, external?.added, change?.origin, change?.added]).toEqual([
        "external",
        ["two"],
        "change",
        [],
      ]);
    });

    it("records an external change of a user's set with the set after it", async () => {
      const store = open();
      await store.changes.apply({ ...add("store:a", "one", "two"), personal: true });
      await store.put("store:a", ["three"]);
      await store.take("store:a", ["one"]);
      expect(await store.changes.reconcile(personal("store:a"))).toBe(true);
      expect(await store.changes.reconcile(personal("store:a"))).toBe(false);
      const last = (await recorded(store, "store:a")).at(-1);
      expect(last).toMatchObject({ origin: "external", added: [], removed: [], size: 2 });
      expect(last?.members?.toSorted()).toEqual(["three", "two"]);
    });

    it.each([
      ["shared", shared("store:a")],
      ["personal", personal("store:a")],
    ])("records an external change once (%s)", async (_, set) => {
      const store = open();
      expect(await store.changes.reconcile(set)).toBe(true);
      expect(await store.changes.reconcile(set)).toBe(false);
      await store.put("store:a", ["one"]);
      const found = await Promise.all(Array.from({ length: 8 }, () => store.changes.reconcile(set)));
      expect(found.filter(Boolean)).toHaveLength(1);
      await store.changes.apply({ ...add("store:a", "two"), ...set });
      expect(await store.changes.reconcile(set)).toBe(false);
      const origins = (await recorded(store, "store:a")).map(({ origin }) => origin);
      expect(origins).toEqual(["baseline", "external", "change"]);
    });

    it("detects changes of a set that was recorded in both ways", async () => {
      const store = open();
      await store.changes.apply(add("store:a", "one"));
      expect(await store.changes.reconcile(personal("store:a"))).toBe(false);
      await store.changes.apply({ ...add("store:a", "two"), personal: true });
      expect(await store.changes.reconcile(shared("store:a"))).toBe(false);
      await store.put("store:a", ["three"]);
      await store.changes.apply(add("store:a", "four"));
      await store.take("store:a", ["one"]);
      expect(await store.changes.reconcile(shared("store:a"))).toBe(true);
      expect((await recorded(store, "store:a")).at(-1)).toMatchObject({ origin: "external", removed: ["one"] });
      expect(folded(await recorded(store, "store:a"))).toEqual(["four", "three", "two"]);
    });

    it("omits invalid members from its records, except for their number", async () => {
      const store = open();
      await store.put("store:a", ["good", "bad\u0007", "worse\u0085", "x".repeat(1_025)]);
      await store.changes.apply(add("store:a", "new"));
      await store.take("store:a", ["bad\u0007"]);
      await store.put("store:a", ["\u0001", "größer", "🏖️".repeat(300), "\u{1f3d6}".repeat(513)]);
      await store.changes.reconcile(shared("store:a"));
      await store.take("store:a", ["\u0001"]);
      await store.changes.reconcile(shared("store:a"));
      const [baseline, , external, after] = await recorded(store, "store:a");
      expect(baseline).toMatchObject({ members: ["good"], size: 4 });
      expect(external).toMatchObject({ removed: [], size: 8 });
      expect(external?.added.toSorted()).toEqual(["größer", "🏖️".repeat(300)].sort());
      expect(after).toMatchObject({ added: [], removed: [], size: 7 });
      expect(after?.members?.toSorted()).toEqual(["good", "größer", "new", "🏖️".repeat(300)].sort());
    });

    it("increments the revision for an external change, and records it even if the change has no effect", async () => {
      const store = open();
      const { revision } = await store.changes.apply(add("store:a", "one"));
      await store.put("store:a", ["two"]);
      const refused = store.changes.apply({ ...add("store:a", "three"), ifRevision: revision });
      await expect(refused).rejects.toBeInstanceOf(RevisionMismatch);
      expect((await recorded(store, "store:a")).at(-1)).toMatchObject({ origin: "external", added: ["two"] });
      expect(await store.changes.reconcile(shared("store:a"))).toBe(false);
      expect(await store.changes.revisions(["store:a"])).toEqual([{ ...revision, number: revision.number + 1 }]);
    });

    it.each([
      ["shared", shared("store:a")],
      ["personal", personal("store:a")],
    ])("writes records that add up to the content of the set, for all authors (%s)", async (_, set) => {
      const store = open();
      await wander(200, (feature) => [
        ...changesOf(store, set, feature),
        () => store.put("store:a", [feature]),
        () => store.take("store:a", [feature]),
      ]);
      await store.changes.reconcile(set);
      expect(folded(await recorded(store, "store:a"))).toEqual(await read(store, "store:a"));
    });
  });
}
