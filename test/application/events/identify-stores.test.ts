import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { changeEvent } from "../../../src/application/events/change-event.ts";
import { IdentifyStores } from "../../../src/application/events/identify-stores.ts";
import type { Connection } from "../../../src/infrastructure/connection.ts";
import { type OpenEventLog, openEventLog } from "../../../src/infrastructure/event-log/open-event-log.ts";
import { openSqlite } from "../../../src/infrastructure/sqlite/sqlite-connection.ts";
import { aChange, changeOf } from "../../support/stores.ts";

describe("the history of stores", () => {
  let folder: string;
  let eventLog: OpenEventLog;
  const opened: Connection[] = [];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "tidegate-identity-"));
    eventLog = openEventLog({ kind: "sqlite", file: join(folder, "events.db") });
  });
  afterEach(async () => {
    for (const each of [eventLog, ...opened.splice(0)]) await each[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  function open(file: string): Connection {
    const store = openSqlite("features", join(folder, file));
    opened.push(store);
    return store;
  }
  const identityOf = (store: Connection, connection = "features") =>
    new IdentifyStores(
      new Map([[connection, { ...store, collections: ["rules"] }]]),
      eventLog.stores,
      eventLog.history,
    );
  const add = (store: Connection, feature: string) => store.changes.apply(changeOf("a", { add: [feature] }));
  /**
   * Moves the records of a store to the log, under its identity or, as version 0.1 did, under the name of its
   * connection.
   */
  async function drain(store: Connection, name: string): Promise<void> {
    await using outbox = store.outbox();
    const entries = await outbox.read(1_000);
    const records = entries.flatMap(({ records = [] }) => records);
    expect(await eventLog.log.record(records.map((record) => changeEvent("features", record, "test", name)))).toEqual(
      [],
    );
    await outbox.remove(entries);
  }
  const past = async (name: string) => (await eventLog.history.setAt(name, "a", Date.now()))?.features;

  it("is separated by their identities", async () => {
    const [one, other] = [open("one.db"), open("other.db")];
    const names = [await identityOf(one).of("features"), await identityOf(other).of("features")];
    await add(one, "of_one");
    await add(other, "of_other");
    await drain(one, names[0] ?? "");
    await drain(other, names[1] ?? "");
    expect(await Promise.all(names.map(past))).toEqual([["of_one"], ["of_other"]]);
  });

  it("follows a store whose connection is renamed", async () => {
    const store = open("one.db");
    const identity = await identityOf(store).of("features");
    expect(await identityOf(store, "renamed").of("renamed")).toBe(identity);
  });

  describe("of version 0.1", () => {
    let store: Connection;
    beforeEach(async () => {
      store = open("one.db");
      await add(store, "before");
      await store.documents.put({ ...aChange(), collection: "rules", name: "x", value: 1 });
      await drain(store, "features");
    });

    it("is claimed by the store that made it, and continues", async () => {
      await add(store, "waiting");
      const identify = identityOf(store);
      const identity = await identify.of("features");
      expect(await identify.namesOf("features")).toEqual([identity, "features"]);
      expect(await past(identity)).toEqual(["before"]);
      await drain(store, identity);
      expect(await past(identity)).toEqual(["before", "waiting"]);
      const { documentAt, documentsAt, documentChangesOf, changesOf, revisions } = eventLog.history;
      expect(await documentAt(identity, "rules", "x", Date.now())).toMatchObject({ value: 1 });
      await store.documents.put({ ...aChange(), collection: "rules", name: "x", value: 2 });
      await drain(store, identity);
      expect((await documentsAt(identity, "rules", Date.now()))?.get("x")).toMatchObject({ value: 2 });
      expect(await documentChangesOf(identity, "rules", ["x"], 0, Date.now())).toHaveLength(2);
      expect(await changesOf(identity, ["a"], 0, Date.now())).toHaveLength(3);
      expect(await revisions(identity, "a", 10)).toMatchObject([{ key: "a", revision: { number: 3 } }]);
      expect(await eventLog.log.verify()).toMatchObject({ isSound: true });
    });

    it("is the same after a rebuild of the history", async () => {
      const identity = await identityOf(store).of("features");
      await add(store, "after");
      await drain(store, identity);
      await eventLog.rebuild();
      expect(await past(identity)).toEqual(["after", "before"]);
      expect(await past("features")).toBeUndefined();
    });

    it("is not claimed by a store that made none of it", async () => {
      const other = open("other.db");
      await add(other, "of_other");
      const identity = await identityOf(other).of("features");
      expect(await past(identity)).toBeUndefined();
      expect(await past(await identityOf(store).of("features"))).toEqual(["before"]);
    });

    it("is claimed by the documents of a store", async () => {
      const other = open("rules.db");
      await other.documents.put({ ...aChange(), collection: "rules", name: "y", value: 3 });
      await drain(other, "renamed");
      const identity = await identityOf(other, "renamed").of("renamed");
      expect(await eventLog.history.documentAt(identity, "rules", "y", Date.now())).toMatchObject({ value: 3 });
    });

    it("accepts a record of version 0.1 as recorded", async () => {
      await using outbox = store.outbox();
      await add(store, "twice");
      const [entry] = await outbox.read(1);
      const [record] = entry?.records ?? [];
      if (!record) throw new Error("there is no record");
      await eventLog.log.record([changeEvent("features", record, "test")]);
      const identity = await identityOf(store).of("features");
      expect(await eventLog.log.record([changeEvent("features", record, "test", identity)])).toEqual([]);
    });
  });

  it("is the last known identity during an outage of the store", async () => {
    const store = open("one.db");
    let isAway = false;
    const identity = async () => {
      if (isAway) throw new Error("it is away");
      return store.identity();
    };
    const identify = new IdentifyStores(
      new Map([["features", { ...store, identity, collections: [] }]]),
      eventLog.stores,
      eventLog.history,
    );
    const known = await identify.of("features");
    isAway = true;
    expect(await identify.of("features")).toBe(known);
  });
});
