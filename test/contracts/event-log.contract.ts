import { createHash, randomBytes } from "node:crypto";
import { v7 as uuidv7 } from "uuid";
import { describe, expect, it } from "vitest";
import type { Json } from "../../src/domain/evaluation/feature.ts";
import type { Event, EventFilter, LogHead } from "../../src/domain/events/event.ts";
import type { EventLog } from "../../src/domain/events/event-log.ts";
import { anEvent, documentEvent, SetEvents, setEvent, tokenEvent } from "../support/events.ts";

/** The contract of EventLog. `open` returns a log with other events, `openEmpty` an empty one. */
export function eventLogContract(open: () => EventLog, openEmpty: () => Promise<EventLog>): void {
  const positions = (events: readonly Event[]) => events.map(({ position }) => position);
  const all = async (log: EventLog) => log.follow({}, 10_000, 0);

  describe("EventLog", () => {
    it("starts empty, with the hash of nothing", async () => {
      const log = await openEmpty();
      const nothing = createHash("sha256").digest("hex");
      expect(await log.head()).toEqual({ position: 0, hash: nothing });
      expect(await log.find({}, 10)).toEqual([]);
      expect(await log.verify()).toMatchObject({ isSound: true, head: { position: 0 } });
    });

    it("returns the appended event with its position", async () => {
      const log = await openEmpty();
      const notified = anEvent();
      const first = await log.append(notified);
      const second = await log.append(anEvent());
      expect(first).toEqual({ ...notified, position: 1, hash: expect.stringMatching(/^[0-9a-f]{64}$/) });
      expect(second.position).toBe(2);
      expect(await log.head()).toEqual({ position: 2, hash: second.hash });
      expect(await log.find({}, 10)).toEqual([second, first]);
      expect(await log.follow({}, 10, 0)).toEqual([first, second]);
      expect(await log.one(notified.id)).toEqual(first);
      expect(await log.one(uuidv7())).toBeUndefined();
    });

    it("returns the events at positions, without those that do not exist", async () => {
      const log = await openEmpty();
      const events = await Promise.all([log.append(anEvent()), log.append(anEvent())]);
      const found = await log.at([2, 1, 2, 3]);
      expect(found.toSorted((a, b) => a.position - b.position)).toEqual(
        events.toSorted((a, b) => a.position - b.position),
      );
      expect(await log.at([])).toEqual([]);
    });

    it("hashes the previous hash, the position and the content in canonical JSON", async () => {
      const log = await openEmpty();
      const { position } = await log.append(anEvent());
      const before = await log.head();
      const { id, at } = anEvent();
      const { hash } = await log.append(anEvent({ id, data: { b: 1e21, a: "\u20ac" } }));
      const content =
        `{"at":${at},"component":"orders","data":{"a":"\u20ac","b":1e+21},"email":"ade@gmail.com",` +
        `"environment":"production","id":"${id}","message":"an order was placed","recordedBy":"shop"}`;
      const text = `${before.hash}\n${position + 1}\n${content}`;
      expect(hash).toBe(createHash("sha256").update(text).digest("hex"));
    });

    it("stores content unchanged", async () => {
      const log = open();
      const data: Readonly<Record<string, Json>> = {
        numbers: [0, -1, 0.1, 1e21, 1e-7, 5e-324, 1.7976931348623157e308, 9_007_199_254_740_991],
        texts: ["", " ", "\\u0000", "\\", '"', "\u0001\n\t", "\u2028", "e\u0301 \u00e9", "\u{1f600}", "\uffff"],
        nested: { b: { z: null, a: [true, false, [], {}] }, a: 1, "": 2, "\u{1f600}": 3 },
      };
      const notified = anEvent({
        data,
        message: "100% \\ _ \u{1f600} 'quoted'; DROP TABLE events",
        at: -62_135_596_800_001,
      });
      await log.append(notified);
      expect(await log.one(notified.id)).toEqual({
        ...notified,
        position: expect.any(Number),
        hash: expect.any(String),
      });
      expect((await log.verify()).isSound).toBe(true);
    });

    it("accepts each id once", async () => {
      const log = open();
      const notified = anEvent();
      const before = await log.head();
      const [first, ...others] = await Promise.all(Array.from({ length: 5 }, () => log.append(notified)));
      for (const other of others) expect(other).toEqual(first);
      expect(await log.append({ ...notified, message: "something else" })).toEqual(first);
      expect((await log.head()).position).toBe(before.position + 1);
    });

    it("orders concurrent events without a gap", async () => {
      const log = await openEmpty();
      const events = await Promise.all(Array.from({ length: 200 }, () => log.append(anEvent())));
      expect(positions(events).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 200 }, (_, index) => index + 1));
      expect((await log.verify()).isSound).toBe(true);
    });

    it("rejects content that a database would change", async () => {
      const log = open();
      const before = await log.head();
      await expect(log.append(anEvent({ message: "\0" }))).rejects.toThrow(/NUL/);
      await expect(log.append(anEvent({ data: { "\ud800": 1 } }))).rejects.toThrow(/surrogate/);
      for (const at of [1.5, Number.NaN, 1e300, -1e14]) {
        await expect(log.append(anEvent({ at }))).rejects.toThrow(/time/);
      }
      expect(await log.head()).toEqual(before);
    });

    describe("finds events", () => {
      it("by each filter", async () => {
        const log = open();
        const component = uuidv7();
        const one = anEvent({ component, environment: uuidv7(), email: `${uuidv7()}@a.b`, recordedBy: uuidv7() });
        await log.append(one);
        await log.append(anEvent({ component }));
        const { environment, email, recordedBy } = one;
        for (const filter of [
          { environment },
          { email },
          { recordedBy },
          { component, environment, email, recordedBy },
        ]) {
          expect((await log.find(filter, 10)).map(({ id }) => id)).toEqual([one.id]);
          expect((await log.follow(filter, 10, 0)).map(({ id }) => id)).toEqual([one.id]);
        }
        expect(await log.find({ component }, 10)).toHaveLength(2);
        expect(await log.find({ component, recordedBy: "nobody" }, 10)).toEqual([]);
        expect(await log.find({ component: "' OR 1=1 --" }, 10)).toEqual([]);
        expect(await log.find({ component: component.toUpperCase() }, 10)).toEqual([]);
      });

      it.each([
        ["an order", true],
        ["AN ORDER", true],
        ["straße 50%_ \\", true],
        ["STRASSE", false],
        ["É", true],
        ["%", true],
        ["o%r", false],
        ["p_d", false],
        ["\\", true],
        ["*", false],
        ["' --", false],
      ])("by the text of their message: %s", async (message, isFound) => {
        const log = open();
        const component = uuidv7();
        await log.append(anEvent({ component, message: "An order was Placed in straße 50%_ \\ é" }));
        expect(await log.find({ component, message }, 10)).toHaveLength(isFound ? 1 : 0);
      });

      it("in pages, newest first or oldest first", async () => {
        const log = open();
        const component = uuidv7();
        const appended: Event[] = [];
        for (let count = 0; count < 7; count++) {
          appended.push(await log.append(anEvent({ component })));
          await log.append(anEvent());
        }
        const [third, fifth] = [appended[2]?.position ?? 0, appended[4]?.position ?? 0];
        expect(await log.find({ component }, 3)).toEqual(appended.slice(4).reverse());
        expect(await log.find({ component }, 3, fifth)).toEqual(appended.slice(1, 4).reverse());
        expect(await log.find({ component }, 3, appended[0]?.position)).toEqual([]);
        expect(await log.follow({ component }, 2, third)).toEqual(appended.slice(3, 5));
        expect(await log.follow({ component }, 9, fifth)).toEqual(appended.slice(5));
      });

      it("by time, even if appended out of order", async () => {
        const log = await openEmpty();
        const times = Array.from({ length: 1_200 }, (_, index) => index * 10 + (index % 200 === 7 ? -5_000 : 0));
        for (const some of [times.slice(0, 600), times.slice(600)]) {
          await Promise.all(some.map((at) => log.append(anEvent({ at }))));
        }
        const notified = await all(log);
        for (const [from, to] of [
          [0, 1],
          [-5_000, 0],
          [9_990, 10_010],
          [7_070, 10_001],
          [11_990, 40_000],
          [40_000, 50_000],
          [20, 10],
        ] as const) {
          const expected = positions(notified.filter(({ at }) => at >= from && at < to));
          expect(positions(await log.follow({ from, to }, 10_000, 0))).toEqual(expected);
          expect(positions(await log.find({ from, to }, 10_000))).toEqual(expected.toReversed());
          expect(positions(await log.find({ from, to }, 5))).toEqual(expected.toReversed().slice(0, 5));
        }
        expect(await log.find({ from: 11_980 }, 10)).toHaveLength(2);
        expect(positions(await log.find({ to: -4_000 }, 10))).toEqual(
          positions(notified.filter(({ at }) => at < -4_000)),
        );
      });

      it("by the feature or the key of a change", async () => {
        const log = open();
        const [key, other, feature] = [uuidv7(), uuidv7(), uuidv7()];
        const set = new SetEvents(key);
        const events = [
          set.begins(),
          set.changes({ add: [feature] }),
          set.changes({ add: ["another"] }),
          set.changes({ remove: [feature] }),
          new SetEvents(other, feature).begins(),
          documentEvent({ collection: "catalogue", name: feature, value: { owner: "ann" } }),
          documentEvent({ collection: "credentials", name: feature, value: { scope: "admin" } }),
          tokenEvent({ tokenId: feature }),
          documentEvent({ collection: "shares", name: feature, value: { share: 1 } }),
        ];
        expect(await log.record(events)).toEqual([]);
        const ids = async (filter: Parameters<EventLog["find"]>[0]) =>
          (await log.follow(filter, 100, 0)).map(({ id }) => events.findIndex((event) => event.id === id));
        expect(await ids({ feature })).toEqual([1, 3, 4, 5, 8]);
        expect(await ids({ key })).toEqual([0, 1, 2, 3]);
        expect(await ids({ key, feature })).toEqual([1, 3]);
        expect(await ids({ key: `catalogue/${feature}` })).toEqual([5]);
        expect(await ids({ key: `tokens/${feature}` })).toEqual([7]);
        const [newest, next] = await log.find({ feature }, 2);
        expect(newest?.id).toBe(events[8]?.id);
        expect((await log.find({ feature }, 1, next?.position)).map(({ id }) => id)).toEqual([events[4]?.id]);
      });
    });

    it("finds changes by type, origin, tool and affected user", async () => {
      const log = open();
      const [key, shared, user] = [uuidv7(), uuidv7(), uuidv7()];
      const events = [
        new SetEvents(key).begins(),
        setEvent({ key, revision: { epoch: "one", number: 2 }, added: ["a"] }),
        setEvent({ key, revision: { epoch: "one", number: 3 }, origin: "external", by: "external", added: ["b"] }),
        setEvent({ key: shared, added: ["a"] }),
        documentEvent({ collection: shared, name: "a", value: { share: 1 } }),
        documentEvent({ collection: `${shared}x`, name: "a", value: { share: 1 } }),
        tokenEvent({ userId: user, by: "cli:ann" }),
        tokenEvent({ userId: `${user}0`, via: "page" }),
      ];
      const { position } = await log.head();
      expect(await log.record(events)).toEqual([]);
      const ids = async (filter: EventFilter) =>
        (await log.follow(filter, 100, position)).map(({ id }) => events.findIndex((event) => event.id === id));
      expect(await ids({ type: "set" })).toEqual([0, 1, 2, 3]);
      expect(await ids({ type: "document" })).toEqual([4, 5]);
      expect(await ids({ type: "token" })).toEqual([6, 7]);
      expect(await ids({ origin: "baseline" })).toEqual([0]);
      expect(await ids({ origin: "external" })).toEqual([2]);
      expect(await ids({ origin: "change", key })).toEqual([1]);
      expect(await ids({ via: "page" })).toEqual([7]);
      expect(await ids({ via: "cli" })).toEqual([6]);
      expect(await ids({ via: "api" })).toEqual([1, 3, 4, 5]);
      const affecting = { userId: user, keys: [key], collections: [shared] };
      expect(await ids({ affecting })).toEqual([0, 1, 2, 4, 6]);
      expect(await ids({ affecting: { userId: "nobody", keys: [], collections: [] } })).toEqual([]);
      expect(await ids({ affecting, type: "document" })).toEqual([4]);
    });

    describe("records changes", () => {
      it("and returns the recorded events", async () => {
        const log = open();
        const event = setEvent({ key: uuidv7(), members: ["b", "a"], note: "for the sale" });
        await log.record([event]);
        expect(await log.one(event.id)).toMatchObject(event);
      });

      it("in their order, each once, despite repetitions", async () => {
        const log = open();
        const key = uuidv7();
        const set = new SetEvents(key);
        const events = [set.begins(), ...["a", "b", "c", "d"].map((feature) => set.changes({ add: [feature] }))];
        await log.record(events.slice(0, 2));
        expect(await log.record(events.slice(0, 4))).toEqual([]);
        expect(await log.record(events)).toEqual([]);
        expect(await log.record([...events, ...events])).toEqual([]);
        expect((await log.follow({ key }, 10, 0)).map(({ id }) => id)).toEqual(events.map(({ id }) => id));
      });

      it("once, even if recorded concurrently", async () => {
        const log = open();
        const key = uuidv7();
        const set = new SetEvents(key);
        const events = [set.begins(), ...Array.from({ length: 99 }, (_, index) => set.changes({ add: [`${index}`] }))];
        const conflicts = await Promise.all(Array.from({ length: 4 }, () => log.record(events)));
        expect(conflicts).toEqual([[], [], [], []]);
        expect((await log.follow({ key }, 1_000, 0)).map(({ id }) => id)).toEqual(events.map(({ id }) => id));
      });

      it("even if a later version would write another message", async () => {
        const log = open();
        const event = setEvent({ key: uuidv7(), members: [] });
        await log.record([event]);
        expect(await log.record([{ ...event, message: "in other words", environment: "elsewhere" }])).toEqual([]);
        expect(await log.one(event.id)).toMatchObject({ message: event.message });
      });

      it("except for conflicting ones, which it returns", async () => {
        const log = open();
        const key = uuidv7();
        const set = new SetEvents(key);
        const [begins, adds] = [set.begins(), set.changes({ add: ["a"] })];
        await log.record([begins, adds]);
        const sameId = setEvent({ key, id: adds.id, revision: { epoch: "one", number: 3 } });
        const sameRevision = setEvent({ key, revision: { epoch: "one", number: 2 }, added: ["b"] });
        const earlier = setEvent({ key, revision: { epoch: "one", number: 0 } });
        const unkeepable = setEvent({ key, revision: { epoch: "one", number: 3 }, added: ["\0"] });
        const odd = setEvent({ key, revision: { epoch: "one", number: 2.5 } });
        const next = set.changes({ add: ["c"] });
        const conflicts = await log.record([begins, sameId, sameRevision, earlier, unkeepable, odd, next]);
        expect(conflicts.map(({ event, reason }) => [event, reason])).toEqual([
          [sameId, "another event has its id"],
          [sameRevision, `event ${adds.id} has the same revision of this item`],
          [earlier, "a later revision of the same item is recorded already"],
          [unkeepable, "contains a NUL character"],
          [odd, "invalid revision (expected a safe integer)"],
        ]);
        expect(conflicts[0]?.event).toBe(sameId);
        expect((await log.follow({ key }, 10, 0)).map(({ id }) => id)).toEqual([begins.id, adds.id, next.id]);
      });

      it("of long keys that differ only at their ends, and finds them by key and feature", async () => {
        const log = open();
        // Random, because PostgreSQL compresses indexed values.
        const long = [...randomBytes(1_023)].map((byte) => String.fromCodePoint(0x4e00 + byte)).join("");
        const [one, other] = [
          setEvent({ key: `users:${long}1`, added: [`${long}a`], size: 1 }),
          setEvent({ key: `users:${long}2`, added: [`${long}b`], size: 1 }),
        ];
        const described = documentEvent({ collection: "catalogue", name: `${long}a`, value: null });
        expect(await log.record([one, other, described])).toEqual([]);
        expect(await log.record([{ ...one, id: uuidv7() }])).toMatchObject([
          { reason: expect.stringContaining("has the same revision") },
        ]);
        const found = async (filter: EventFilter) => (await log.follow(filter, 10, 0)).map(({ id }) => id);
        expect(await found({ key: `users:${long}2` })).toEqual([other.id]);
        expect(await found({ key: `catalogue/${long}a` })).toEqual([described.id]);
        expect(await found({ feature: `${long}a` })).toEqual([one.id, described.id]);
      });

      it("of a feed, and finds them by each feature that its items name", async () => {
        const log = open();
        const [feature, other] = [uuidv7(), uuidv7()];
        // Anyone who may write to the store can write anything there.
        const items = [{ features: [feature] }, { features: [other, feature, 7] }, null];
        const feed = documentEvent({ collection: "feeds", name: uuidv7(), value: { items } });
        expect(await log.record([feed])).toEqual([]);
        expect((await log.find({ feature }, 10)).map(({ id }) => id)).toEqual([feed.id]);
        expect((await log.find({ feature: other }, 10)).map(({ id }) => id)).toEqual([feed.id]);
      });

      it("of a set, a document and a token with the same name separately", async () => {
        const log = open();
        const name = uuidv7();
        const events = [
          setEvent({ key: `catalogue/${name}`, members: [] }),
          documentEvent({ collection: "catalogue", name, value: null }),
          setEvent({ key: `catalogue/${name}`, members: [] }, "another"),
        ];
        expect(await log.record(events)).toEqual([]);
      });

      it("beyond the size of a transaction, or with thousands of members", async () => {
        const log = open();
        const component = "features";
        const before = await log.head();
        const epoch = uuidv7();
        const tokens = Array.from({ length: 1_100 }, (_, number) =>
          tokenEvent({ tokenId: epoch, revision: { epoch, number } }),
        );
        const members = Array.from({ length: 1_000 }, (_, index) => `feature_${index}`);
        const sets = Array.from({ length: 3 }, () => setEvent({ key: uuidv7(), members }));
        expect(await log.record([...tokens, ...sets])).toEqual([]);
        expect((await log.head()).position).toBe(before.position + 1_103);
        expect(await log.follow({ component }, 100, before.position)).toHaveLength(3);
      });
    });

    describe("proves itself", () => {
      const filled = async () => {
        const log = await openEmpty();
        const heads: LogHead[] = [await log.head()];
        for (let count = 0; count < 5; count++) heads.push(await log.append(anEvent()));
        return { log, heads: heads.map(({ position, hash }) => ({ position, hash })) };
      };

      it("against an earlier head, or its hash alone", async () => {
        const { log, heads } = await filled();
        const [start, , , , , head] = heads;
        for (const kept of heads) {
          expect(await log.verify(kept)).toEqual({ isSound: true, start, head, last: 5 });
          expect(await log.verify({ hash: kept.hash })).toMatchObject({ isSound: true, start, head });
        }
      });

      it("not against a head that it does not contain", async () => {
        const { log, heads } = await filled();
        const hash = "0".repeat(64);
        expect(await log.verify({ hash })).toEqual({
          isSound: false,
          position: 5,
          fault: "is the last event, and none has the hash of the given head",
        });
        expect(await log.verify({ hash, position: 3 })).toEqual({
          isSound: false,
          position: 3,
          fault: "has another hash than the given head",
        });
        expect(await log.verify({ hash: heads[2]?.hash ?? "", position: 3 })).toMatchObject({ isSound: false });
        expect(await log.verify({ hash, position: 8 })).toEqual({
          isSound: false,
          position: 6,
          fault: "is missing: the log ends before it",
        });
      });

      it("while it grows", async () => {
        const log = await openEmpty();
        const set = new SetEvents(uuidv7());
        await log.record([set.begins(), ...Array.from({ length: 1_199 }, () => set.changes({}))]);
        const proof = log.verify();
        await Promise.all(Array.from({ length: 100 }, () => log.append(anEvent())));
        expect(await proof).toMatchObject({ isSound: true });
      });
    });

    describe("expires", () => {
      const telling = () => anEvent({ component: "tidegate", message: "events were removed", data: { days: 1 } });

      it("events before an instant, and appends an event about it", async () => {
        const log = await openEmpty();
        const notified = [1, 2, 3, 9, 4, 10].map((at) => anEvent({ at }));
        for (const each of notified) await log.append(each);
        const cut = (await log.follow({}, 1, 2))[0];
        expect(await log.expire(5, telling())).toBe(3);
        const left = await all(log);
        expect(positions(left)).toEqual([4, 5, 6, 7]);
        expect(left.at(-1)).toMatchObject({
          message: "events were removed",
          data: { days: 1, position: 3, hash: cut?.hash },
        });
        expect(await log.verify()).toEqual({
          isSound: true,
          start: { position: 3, hash: cut?.hash },
          head: await log.head(),
          last: 7,
        });
        expect(await log.verify({ hash: cut?.hash ?? "" })).toMatchObject({ isSound: true });
        expect(await log.verify({ hash: cut?.hash ?? "", position: 2 })).toMatchObject({
          isSound: false,
          fault: "was removed by retention; keep a later head",
        });
        expect(await log.find({ from: 0, to: 4 }, 10)).toEqual([]);
        expect(positions(await log.find({ from: 4, to: 10 }, 10))).toEqual([5, 4]);
      });

      it("nothing if no event is old enough", async () => {
        const log = await openEmpty();
        expect(await log.expire(5, telling())).toBe(0);
        await log.append(anEvent({ at: 5 }));
        expect(await log.expire(5, telling())).toBe(0);
        expect((await log.head()).position).toBe(1);
      });

      it("everything except the event about it", async () => {
        const log = await openEmpty();
        await log.append(anEvent({ at: 1 }));
        expect(await log.expire(5, telling())).toBe(1);
        expect(positions(await all(log))).toEqual([2]);
        expect((await log.append(anEvent())).position).toBe(3);
        expect((await log.verify()).isSound).toBe(true);
      });

      it("thousands of events during appends and verifications", async () => {
        const log = await openEmpty();
        const epoch = uuidv7();
        const old = Array.from({ length: 2_100 }, (_, number) =>
          tokenEvent({ at: 1, tokenId: epoch, revision: { epoch, number } }),
        );
        await log.record(old);
        const [removed, ...others] = await Promise.all([
          log.expire(5, telling()),
          log.verify(),
          ...Array.from({ length: 50 }, () => log.append(anEvent())),
          log.verify(),
        ]);
        expect(removed).toBe(2_100);
        expect(others.filter((other) => "isSound" in (other as object))).toMatchObject([
          { isSound: true },
          { isSound: true },
        ]);
        expect(await all(log)).toHaveLength(51);
        expect((await log.verify()).isSound).toBe(true);
      });
    });
  });
}
