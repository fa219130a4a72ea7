import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { v7 as uuidv7 } from "uuid";
import { describe, expect, it } from "vitest";
import type { SetRecord } from "../../src/domain/admin/change.ts";
import type { RecordedEvent } from "../../src/domain/events/event-log.ts";
import type { OpenEventLog } from "../../src/infrastructure/event-log/open-event-log.ts";
import { anEvent, documentEvent, SetEvents, setEvent } from "../support/events.ts";

/** The contract of History. `open` returns one whose log has other records too, `openEmpty` an empty one. */
export function historyContract(open: () => OpenEventLog, openEmpty: () => Promise<OpenEventLog>): void {
  const start = 1_700_000_000_000;
  const forever = 9_000_000_000_000;

  describe("History", () => {
    describe("of a set", () => {
      it("is unknown before its first record, then known at each instant", async () => {
        const { log, history } = open();
        const key = uuidv7();
        const set = new SetEvents(key, "a");
        const events = [
          set.begins(),
          set.changes({ add: ["b", "c"] }),
          set.changes({}),
          set.changes({ remove: ["a"] }),
        ];
        const [first, second, third, fourth] = events.map(({ at }) => at) as [number, number, number, number];
        await log.record(events);
        const at = (instant: number) => history.setAt("features", key, instant);
        expect(await at(first - 1)).toBeUndefined();
        expect(await at(first)).toEqual({ features: ["a"], recordedAt: first });
        expect(await at(second - 1)).toEqual({ features: ["a"], recordedAt: first });
        expect(await at(second)).toEqual({ features: ["a", "b", "c"], recordedAt: second });
        expect(await at(third)).toEqual({ features: ["a", "b", "c"], recordedAt: third });
        expect(await at(fourth)).toEqual({ features: ["b", "c"], recordedAt: fourth });
        expect(await at(forever)).toEqual({ features: ["b", "c"], recordedAt: fourth });
        expect(await history.firstRecord("features", key)).toBe(first);
        expect(await history.setAt("another", key, forever)).toBeUndefined();
        expect(await history.firstRecord("features", "none")).toBeUndefined();
      });

      it("can be empty", async () => {
        const { log, history } = open();
        const [key, other] = [uuidv7(), uuidv7()];
        await log.record([new SetEvents(key).begins(), setEvent({ key: other, origin: "baseline", size: 0 })]);
        expect(await history.setAt("features", key, forever)).toMatchObject({ features: [] });
        expect(await history.setAt("features", other, forever)).toMatchObject({ features: [] });
      });

      it("includes all records of one millisecond", async () => {
        const { log, history } = open();
        const key = uuidv7();
        const set = new SetEvents(key);
        const events = [set.begins(), set.changes({ add: ["a"] }), set.changes({ remove: ["a"], add: ["b"] })];
        await log.record(events.map((event) => ({ ...event, at: start })));
        expect(await history.setAt("features", key, start)).toMatchObject({ features: ["b"] });
        expect(await history.setAt("features", key, start - 1)).toBeUndefined();
      });

      it("is the recorded content if a record has no changes", async () => {
        const { log, history } = open();
        const key = uuidv7();
        const found = (number: number, ...members: readonly string[]) =>
          setEvent({ key, origin: "external", members, at: start + number, revision: { epoch: "one", number } });
        await log.record([found(1, "a", "b"), found(2, "b", "c")]);
        await log.record([found(3), found(4, "d")]);
        const at = async (number: number) => (await history.setAt("features", key, start + number))?.features;
        expect([await at(1), await at(2), await at(3), await at(4)]).toEqual([["a", "b"], ["b", "c"], [], ["d"]]);
        const lastChanges = await history.lastChanges("features", key, forever);
        expect(
          lastChanges.map(({ feature, on, event }) => [feature, on, event.change?.record.revision.number]),
        ).toEqual([
          ["a", false, 2],
          ["b", false, 3],
          ["c", false, 3],
          ["d", true, 4],
        ]);
      });

      it("continues from its content in a new epoch", async () => {
        const { log, history } = open();
        const key = uuidv7();
        const set = new SetEvents(key, "a");
        await log.record([set.begins(), set.changes({ add: ["b"] })]);
        const revision = { epoch: "two", number: 1 };
        const baseline = setEvent({ key, at: set.at + 9, revision, members: ["b", "z"] });
        await log.record([baseline]);
        expect(await history.setAt("features", key, forever)).toMatchObject({ features: ["b", "z"] });
        expect(await history.setAt("features", key, set.at + 8)).toMatchObject({ features: ["a", "b"] });
      });

      it.each<[string, Partial<SetRecord>]>([
        ["has too many members to record", { origin: "baseline", size: 2_000, revision: { epoch: "two", number: 1 } }],
        ["was reconciled with too many members to record", { origin: "external", size: 2_000 }],
        [
          "was changed, and the record before that is missing",
          { added: ["c"], size: 4, revision: { epoch: "one", number: 4 } },
        ],
        [
          "was changed in an epoch without a first record",
          { added: ["c"], size: 3, revision: { epoch: "two", number: 1 } },
        ],
      ])("is unknown after it %s, until its members are recorded", async (_, record) => {
        const { log, history } = open();
        const key = uuidv7();
        const set = new SetEvents(key, "a", "b");
        const lost = { key, at: start + 5_000, revision: { epoch: "one", number: 2 }, ...record };
        const next = { ...lost.revision, number: lost.revision.number + 1 };
        await log.record([set.begins(), setEvent(lost)]);
        await log.record([
          setEvent({ key, at: start + 6_000, revision: next, added: ["d"], size: (lost.size ?? 0) + 1 }),
        ]);
        const after = { ...next, number: next.number + 1 };
        await log.record([
          setEvent({ key, at: start + 7_000, revision: after, added: ["e"], members: ["a", "d", "e"] }),
        ]);
        const at = (instant: number) => history.setAt("features", key, instant);
        expect(await at(start + 4_999)).toMatchObject({ features: ["a", "b"] });
        expect(await at(start + 5_000)).toBeUndefined();
        expect(await at(start + 6_999)).toBeUndefined();
        expect(await at(start + 7_000)).toEqual({ features: ["a", "d", "e"], recordedAt: start + 7_000 });
      });

      it("is known for names of the maximum length", async () => {
        const { log, history, rebuild } = await openEmpty();
        // Random, because PostgreSQL compresses indexed values.
        const long = [...randomBytes(1_023)].map((byte) => String.fromCodePoint(0x4e00 + byte)).join("");
        const [key, a, b] = [`users:${long}`, `${long}a`, `${long}b`];
        const set = new SetEvents(key, a);
        const events = [set.begins(), set.changes({ add: [b, "c"] }), set.changes({ remove: [a] })];
        const name = `${long}d`;
        const revision = { epoch: "one", number: 1 };
        await log.record([...events, documentEvent({ collection: "shares", name, value: 1, at: start, revision })]);
        const at = (instant = 0) => history.setAt("features", key, instant);
        const isKnown = async () => {
          expect((await at(events[1]?.at))?.features.toSorted()).toEqual(["c", a, b].toSorted());
          expect((await at(forever))?.features.toSorted()).toEqual(["c", b].toSorted());
          const changes = await history.lastChanges("features", key, forever);
          expect(changes.map(({ feature, on }) => [feature, on]).toSorted()).toEqual(
            [
              ["c", true],
              [a, false],
              [b, true],
            ].toSorted(),
          );
          expect(await history.keys("features", "users:")).toEqual([key]);
          const [last] = await history.revisions("features", "users:", 10);
          expect(last).toEqual({ key, revision: events[2]?.change.record.revision });
          expect(await history.revisions("features", "users:", 10, key)).toEqual([]);
          expect(await history.changesOf("features", [key], 0, forever)).toHaveLength(3);
          expect((await history.documentAt("features", "shares", name, forever))?.value).toBe(1);
          expect([...((await history.documentsAt("features", "shares", forever)) ?? [])]).toMatchObject([[name, {}]]);
        };
        await isKnown();
        await rebuild();
        await isKnown();
        await log.expire(forever, anEvent({ component: "tidegate", at: forever }));
        expect((await at(forever))?.features.toSorted()).toEqual(["c", b].toSorted());
        expect((await history.documentAt("features", "shares", name, forever))?.value).toBe(1);
      });

      it("stays known while many members change", async () => {
        const { log, history } = open();
        const key = uuidv7();
        const features = Array.from({ length: 1_000 }, (_, index) => `feature_${index}`);
        const set = new SetEvents(key, ...features);
        await log.record([set.begins(), set.changes({ add: ["more"] }), set.changes({ remove: ["feature_0"] })]);
        const past = await history.setAt("features", key, forever);
        expect(past?.features).toHaveLength(1_000);
        expect(past?.features).toContain("more");
      });

      it("omits members that are not features", async () => {
        const { log, history } = open();
        const key = uuidv7();
        await log.record([setEvent({ key, members: ["a", "", "b\u0001", "\u{1f600}"] })]);
        expect((await history.setAt("features", key, forever))?.features).toEqual(["a", "\u{1f600}"]);
      });

      it("is ordered even if a clock was set back", async () => {
        const { log, history } = open();
        const key = uuidv7();
        const set = new SetEvents(key, "a");
        await log.record([set.begins(), { ...set.changes({ add: ["b"] }), at: start - 5_000 }]);
        expect(await history.setAt("features", key, start - 1_000)).toBeUndefined();
        expect(await history.setAt("features", key, forever)).toMatchObject({ features: ["a", "b"] });
      });
    });

    it("returns the last change of each feature", async () => {
      const { log, history } = open();
      const key = uuidv7();
      const set = new SetEvents(key, "a");
      const events = [
        set.begins(),
        set.changes({ add: ["b", "c"] }),
        set.changes({ remove: ["b"] }),
        set.changes({ add: ["b"] }),
        set.changes({ remove: ["c"] }),
      ];
      await log.record(events);
      const notified = async (at: number, only?: readonly string[]) =>
        (await history.lastChanges("features", key, at, only)).map(({ feature, on, event }) => [
          feature,
          on,
          events.findIndex(({ id }) => id === event.id),
        ]);
      expect(await notified(start)).toEqual([]);
      expect(await notified(events[2]?.at ?? 0)).toEqual([
        ["a", true, 0],
        ["b", false, 2],
        ["c", true, 1],
      ]);
      expect(await notified(forever)).toEqual([
        ["a", true, 0],
        ["b", true, 3],
        ["c", false, 4],
      ]);
      expect(await notified(forever, ["b", "unknown", "c"])).toEqual([
        ["b", true, 3],
        ["c", false, 4],
      ]);
      expect(await notified(forever, [])).toEqual([]);
      const [turn] = await history.lastChanges("features", key, forever);
      expect(turn?.event).toMatchObject(events[0] as RecordedEvent);
    });

    it("reads an event once that was the last change of many features", async () => {
      const { log, history } = open();
      const key = uuidv7();
      const features = Array.from({ length: 2_000 }, (_, index) => `feature_${index}`);
      const set = new SetEvents(key);
      await log.record([set.begins(), set.changes({ add: features })]);
      const changes = await history.lastChanges("features", key, forever);
      expect(changes.map(({ feature }) => feature)).toEqual(features.toSorted());
      expect(new Set(changes.map(({ event }) => event)).size).toBe(1);
    });

    it("returns the last event that added a feature to sets with a prefix, or removed it", async () => {
      const { log, history } = open();
      const prefix = `${uuidv7()}:`;
      const [one, other] = [new SetEvents(`${prefix}1`, "a"), new SetEvents(`${prefix}2`)];
      const events = [
        one.begins(),
        other.begins(),
        one.changes({ remove: ["a"] }),
        other.changes({ add: ["a"] }),
        other.changes({ add: ["b"] }),
      ];
      await log.record(events);
      const lastOf = async (start: string, feature: string) =>
        (await history.lastChangeOf("features", start, feature))?.id;
      expect(await lastOf(prefix, "a")).toBe(events[3]?.id);
      expect(await lastOf(`${prefix}1`, "a")).toBe(events[2]?.id);
      expect(await lastOf(prefix, "c")).toBeUndefined();
      expect(await history.lastChangeOf("another", prefix, "a")).toBeUndefined();
    });

    it("returns the position of the last event of each feature that changed after a position", async () => {
      const { log, history } = await openEmpty();
      const store = uuidv7();
      const set = (...add: readonly string[]) =>
        setEvent({ key: uuidv7(), added: add, revision: { epoch: uuidv7(), number: 1 } }, store);
      const long = "x".repeat(3_000);
      await log.record([set("a", "b"), documentEvent({ collection: "catalogue", name: "c", value: {} }, store)]);
      await log.record([set("b", long), setEvent({ key: uuidv7(), added: ["a"] }, "another")]);
      const first = await history.changedFeatures(store, 0);
      expect([[...first.positions].toSorted(), first.upTo]).toEqual([
        [
          ["a", 1],
          ["b", 3],
          ["c", 2],
          [long, 3],
        ],
        4,
      ]);
      // Items of a feed that name a feature are no change of it.
      const feed = documentEvent({ collection: "feeds", name: "f", value: { items: [{ features: ["a"] }] } }, store);
      await log.record([set("c"), feed]);
      const next = await history.changedFeatures(store, first.upTo);
      expect([[...next.positions], next.upTo]).toEqual([[["c", 5]], 6]);
      expect(await history.changedFeatures(store, 6)).toEqual({ positions: new Map(), upTo: 6 });
    });

    it("returns past documents", async () => {
      const { log, history } = open();
      const name = uuidv7();
      const values = [{ owner: "ann" }, null, { owner: "bob", tags: ["a"] }];
      const events = values.map((value, number) =>
        documentEvent({ collection: "catalogue", name, value, at: start + number, revision: { epoch: "one", number } }),
      );
      await log.record(events);
      const at = (instant: number) => history.documentAt("features", "catalogue", name, instant);
      expect(await at(start - 1)).toBeUndefined();
      for (const [number, event] of events.entries()) expect(await at(start + number)).toEqual(event.change.record);
      expect(await at(forever)).toEqual(events.at(-1)?.change.record);
      expect(await history.documentAt("features", "credentials", name, forever)).toBeUndefined();
    });

    it("returns all past documents of a collection", async () => {
      const { log, history } = open();
      const collection = uuidv7();
      const events = [
        { name: "b", value: { share: 1 } },
        { name: "a/\u{1f600}", value: 0 },
        { name: "b", value: null },
        { name: "b", value: { share: 2 } },
      ].map((notified, number) =>
        documentEvent({ collection, ...notified, at: start + number, revision: { epoch: notified.name, number } }),
      );
      await log.record(events);
      await log.record([
        documentEvent({ collection: `${collection}0`, name: "b", value: 1 }),
        documentEvent({ collection, name: "b", value: 1 }, "another"),
        setEvent({ key: `${collection}/b`, members: ["a"] }),
      ]);
      const notified = async (at: number) => {
        const documents = await history.documentsAt("features", collection, at);
        return documents && [...documents].map(([name, record]) => [name, record.value]);
      };
      expect(await notified(start - 1)).toEqual([]);
      expect(await notified(start)).toEqual([["b", { share: 1 }]]);
      expect(await notified(start + 2)).toEqual([
        ["a/\u{1f600}", 0],
        ["b", null],
      ]);
      expect((await history.documentsAt("features", collection, forever))?.get("b")).toEqual(
        events.at(-1)?.change.record,
      );
      expect(await history.documentsAt("another", "none", forever)).toEqual(new Map());
    });

    it("returns documents after events have expired, but not their earlier content", async () => {
      const { log, history } = await openEmpty();
      const document = (name: string, value: number, at: number, number: number) =>
        documentEvent({ collection: "shares", name, value, at: start + at, revision: { epoch: name, number } });
      await log.record([
        document("a", 1, 0, 1),
        document("b", 1, 1_000, 1),
        document("b", 2, 2_000, 2),
        document("a", 2, 3_000, 2),
        document("c", 1, 4_000, 1),
      ]);
      await log.expire(start + 3_000, anEvent({ component: "tidegate", at: start + 5_000 }));
      const notified = async (at: number) => {
        const documents = await history.documentsAt("features", "shares", start + at);
        return documents && Object.fromEntries([...documents].map(([name, { value }]) => [name, value]));
      };
      expect(await notified(1_999)).toBeUndefined();
      expect(await notified(2_000)).toEqual({ a: 1, b: 2 });
      expect(await notified(3_000)).toEqual({ a: 2, b: 2 });
      expect(await notified(9_000)).toEqual({ a: 2, b: 2, c: 1 });
    });

    it("returns the changes of documents between two instants", async () => {
      const { log, history } = open();
      const collection = uuidv7();
      const events = ["a", "b", "a"].map((name, number) =>
        documentEvent({ collection, name, value: number, at: start + number, revision: { epoch: "one", number } }),
      );
      await log.record(events);
      const notified = async (names: readonly string[], from: number, to: number) =>
        (await history.documentChangesOf("features", collection, names, start + from, start + to)).map(({ id }) =>
          events.findIndex((event) => event.id === id),
        );
      expect(await notified(["a", "b"], -1, 2)).toEqual([0, 1, 2]);
      expect(await notified(["a"], 0, 2)).toEqual([2]);
      expect(await notified(["b", "c"], 0, 1)).toEqual([1]);
      expect(await notified([], -1, 2)).toEqual([]);
    });

    it("returns the keys and last revisions of sets by prefix, in pages", async () => {
      const { log, history } = open();
      const prefix = `${uuidv7()}%_:`;
      const keys = ["", "b", "a", "A", "a:1", "é", "\u{1f600}"].map((end) => prefix + end);
      await log.record(keys.map((key, number) => setEvent({ key, members: [], revision: { epoch: key, number } })));
      await log.record([
        setEvent({ key: prefix.toUpperCase(), members: [] }),
        setEvent({ key: `${prefix}other`, members: [] }, "another"),
        documentEvent({ collection: prefix, name: "x", value: null }),
        setEvent({ key: `${prefix}a`, revision: { epoch: `${prefix}a`, number: 7 } }),
      ]);
      const ordered = ["", "A", "a", "a:1", "b", "é", "\u{1f600}"].map((end) => prefix + end);
      expect(await history.keys("features", prefix)).toEqual(ordered);
      const page = await history.revisions("features", prefix, 3);
      expect(page.map(({ key }) => key)).toEqual(ordered.slice(0, 3));
      expect(page[2]?.revision).toEqual({ epoch: `${prefix}a`, number: 7 });
      const rest = await history.revisions("features", prefix, 10, page.at(-1)?.key);
      expect(rest.map(({ key }) => key)).toEqual(ordered.slice(3));
      expect(await history.revisions("features", `${prefix}z`, 10)).toEqual([]);
    });

    it("returns the changes of sets between two instants", async () => {
      const { log, history } = open();
      const [one, other] = [new SetEvents(uuidv7()), new SetEvents(uuidv7())];
      const events = [one.begins(), other.begins(), one.changes({ add: ["a"] }), other.changes({}), one.changes({})];
      await log.record(events);
      const [key, otherKey] = events.map(({ change }) => (change.record.of === "set" ? change.record.key : ""));
      const notified = async (keys: readonly (string | undefined)[], from: number, to: number) =>
        (await history.changesOf("features", keys.map(String), from, to)).map(({ id }) =>
          events.findIndex((event) => event.id === id),
        );
      expect(await notified([key, otherKey], 0, forever)).toEqual([0, 1, 2, 3, 4]);
      expect(await notified([key], events[0]?.at ?? 0, events[2]?.at ?? 0)).toEqual([2]);
      expect(await notified([otherKey], start, start + 1_000)).toEqual([1]);
      expect(await notified([], 0, forever)).toEqual([]);
      expect(await notified(["none"], 0, forever)).toEqual([]);
      expect(await history.changesOf("another", [key ?? ""], 0, forever)).toEqual([]);
    });

    it("stays known with members that are not features", async () => {
      const { log, history } = open();
      const key = uuidv7();
      const external = { origin: "external", revision: { epoch: "one", number: 2 }, added: ["b"], size: 9 } as const;
      await log.record([new SetEvents(key, "a").begins(), setEvent({ key, at: start + 1, ...external })]);
      expect(await history.setAt("features", key, forever)).toMatchObject({ features: ["a", "b"] });
    });

    it("is the fold of all records at each instant, even after a rebuild and after events expired", async () => {
      const eventLog = await openEmpty();
      const { log, history } = eventLog;
      let base = start;
      await fc.assert(
        fc.asyncProperty(fc.tuple(steps, steps, steps), fc.nat(), async ([first, second, third], cut) => {
          const model = new Model(uuidv7(), base);
          const record = async (some: readonly Step[]) => {
            expect(await log.record(some.map((each) => model.take(each)))).toEqual([]);
          };
          const compare = async (from: number) => {
            for (const instant of model.instants(from)) {
              const past = await history.setAt("features", model.key, instant);
              expect(past && { ...past, features: past.features.toSorted() }).toEqual(model.at(instant));
            }
          };
          await record(first);
          await eventLog.rebuild();
          await record(second);
          await compare(base - 1);
          const lastChanges = await history.lastChanges("features", model.key, forever);
          const on = lastChanges.filter((turn) => turn.on).map(({ feature }) => feature);
          const last = model.at(forever);
          if (last) expect(on.toSorted()).toEqual(last.features);
          const instants = model.instants(base);
          const before = instants[cut % instants.length] ?? base;
          await log.expire(before, anEvent({ component: "tidegate", at: model.end }));
          expect(await log.find({ to: Math.min(before, model.end) }, 1)).toEqual([]);
          await eventLog.rebuild();
          await record(third);
          await compare(before);
          base = model.end + 1;
        }),
        { numRuns: 15 },
      );
      expect((await log.verify()).isSound).toBe(true);
    });
  });
}

/** A step in the life of a set: what is added and removed, and what is recorded of it. */
type Step = {
  readonly add: readonly string[];
  readonly remove: readonly string[];
  readonly recorded: "change" | "members" | "nothing" | "epoch";
  readonly laterMs: number;
};

const features = fc.subarray(["a", "b", "c", "d", "e", "\u{1f600}"]);
const step: fc.Arbitrary<Step> = fc.record({
  add: features,
  remove: features,
  recorded: fc.constantFrom("change", "change", "change", "members", "nothing", "epoch"),
  laterMs: fc.constantFrom(0, 0, 1, 1, 1_000),
});

const steps = fc.array(step, { minLength: 1, maxLength: 15 });

/** A set in a plain model: its content after each event, and whether it is known. */
class Model {
  readonly key: string;
  readonly #instants: { readonly at: number; readonly members: readonly string[]; readonly isKnown: boolean }[] = [];
  #epoch = 0;
  #number = 0;
  #at: number;

  constructor(key: string, at: number) {
    this.key = key;
    this.#at = at;
  }

  get end(): number {
    return this.#at;
  }

  /** Applies a step; returns its event. */
  take({ add, remove, recorded, laterMs }: Step): RecordedEvent {
    this.#at += laterMs;
    const last = this.#instants.at(-1);
    const before = new Set(last?.members);
    const removed = remove.filter((feature) => before.has(feature) && !add.includes(feature));
    const added = add.filter((feature) => !before.has(feature));
    const members = [...before.difference(new Set(removed)).union(new Set(added))];
    const isFirst = last === undefined;
    if (isFirst || recorded === "epoch") {
      this.#epoch += 1;
      this.#number = 0;
    }
    this.#number += 1;
    const recordsMembers = isFirst || recorded === "members" || recorded === "epoch";
    const isKnown = recordsMembers || (last.isKnown && recorded === "change") || members.length === 0;
    this.#instants.push({ at: this.#at, members, isKnown });
    return setEvent({
      key: this.key,
      at: this.#at,
      revision: { epoch: `${this.#epoch}`, number: this.#number },
      origin: isFirst || recorded === "epoch" ? "baseline" : recorded === "change" ? "change" : "external",
      ...(recorded === "change" && !isFirst && { added, removed }),
      ...(recordsMembers && { members }),
      size: members.length,
    });
  }

  at(instant: number) {
    const moment = this.#instants.findLast(({ at }) => at <= instant);
    if (!moment?.isKnown) return undefined;
    return { features: moment.members.toSorted(), recordedAt: moment.at };
  }

  /** The instants at and between which the set may differ, from one on. */
  instants(from: number): readonly number[] {
    const all = this.#instants.flatMap(({ at }) => [at - 1, at, at + 1]);
    return [...new Set([from, ...all])].filter((instant) => instant >= from);
  }
}
