import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { v5 as uuidv5, v7 as uuidv7 } from "uuid";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { historyCoverage } from "../../../src/application/events/history-coverage.ts";
import { OutboxRelay } from "../../../src/application/events/outbox-relay.ts";
import { OutboxRelayJob } from "../../../src/application/events/outbox-relay-job.ts";
import { rebase } from "../../../src/application/events/rebase.ts";
import { SetReconciler } from "../../../src/application/events/set-reconciler.ts";
import type { EditableSet } from "../../../src/domain/admin/editable-set.ts";
import { KeyTemplate } from "../../../src/domain/evaluation/key-template.ts";
import type { EventLog } from "../../../src/domain/events/event-log.ts";
import type { Outbox } from "../../../src/domain/events/outbox.ts";
import { type OpenEventLog, openEventLog } from "../../../src/infrastructure/event-log/open-event-log.ts";
import { emptied } from "../../support/redis.ts";
import { aChange, changeOf, redisStore } from "../../support/stores.ts";
import { until } from "../../support/until.ts";

const idFor = (text: string) => uuidv5(text, uuidv5.URL);

describe("the outbox relay job on Redis", () => {
  let store: Awaited<ReturnType<typeof redisStore>>;
  let folder: string;
  let eventLog: OpenEventLog;
  let outbox: Outbox;
  let aside: string[];
  let drain: OutboxRelay;

  beforeAll(async () => {
    store = await redisStore();
  });
  afterAll(() => store[Symbol.asyncDispose]());

  beforeEach(async () => {
    await emptied(store.server.client);
    folder = mkdtempSync(join(tmpdir(), "tidegate-log-"));
    eventLog = openEventLog({ kind: "sqlite", file: join(folder, "events.db") });
    outbox = store.connection.outbox();
    aside = [];
    drain = draining(eventLog.log);
  });
  afterEach(async () => {
    await outbox[Symbol.asyncDispose]();
    await eventLog[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  const draining = (log: EventLog) =>
    new OutboxRelay(new Map([["features", outbox]]), log, {
      environment: "test",
      now: Date.now,
      identityOf: async (store) => store,
      idFor,
      rebase: async (_, record) => {
        const { changes, documents } = store.connection;
        const editableSets = [family("active_features")];
        await rebase(() => ({ changes, documents, editableSets }), uuidv7)("features", record);
      },
      foundUnusable: (_, reason) => aside.push(reason),
    });

  const family = (text: string): EditableSet => {
    const key = KeyTemplate.parse(text);
    if (!(key instanceof KeyTemplate)) throw new Error(key);
    const { sets, index, changes } = store.connection;
    return { key, connection: "features", limit: 10_000, sets, index, changes };
  };

  const watching = (...templates: string[]) => {
    const complete = historyCoverage(
      (id) => eventLog.log.one(id),
      async (store) => [store],
      idFor,
      "test",
      Date.now,
    );
    const { index, changes } = store.connection;
    const watched = { name: "features", index, changes, editableSets: templates.map(family) };
    return { watch: new SetReconciler(watched, eventLog.log, eventLog.history, drain, complete), complete };
  };

  /** Waits until Redis reports entries in the outbox. */
  const waiting = (entries: number) =>
    until(async () => (await outbox.backlog()).entries === entries, `${entries} entries wait`);

  const messages = async () => (await eventLog.log.find({}, 100)).map(({ message }) => message).reverse();

  it("moves records to the log in order, and empties the outbox", async () => {
    await store.connection.changes.apply(changeOf("active_features", { add: ["one"] }));
    await store.connection.changes.apply(changeOf("active_features", { add: ["two"], remove: ["one"] }));
    await waiting(3);
    await drain.relayAll();
    expect(await messages()).toEqual([
      "active_features: 0 members at the start of its record",
      "active_features: one added",
      "active_features: two added, one removed",
    ]);
    expect(await outbox.backlog()).toEqual({ entries: 0, oldest: undefined });
  });

  it("records each change once, even after a crash between the log and the outbox", async () => {
    await store.connection.changes.apply(changeOf("active_features", { add: ["one"] }));
    await waiting(2);
    const cut: Outbox = {
      read: (limit) => outbox.read(limit),
      remove: () => Promise.reject(new Error("killed")),
      backlog: () => outbox.backlog(),
      listen: () => {},
      [Symbol.asyncDispose]: async () => {},
    };
    const killed = new OutboxRelay(new Map([["features", cut]]), eventLog.log, {
      environment: "test",
      now: Date.now,
      identityOf: async (store) => store,
      idFor,
      rebase: () => Promise.reject(new Error("nothing is rebased")),
      foundUnusable: () => {},
    });
    await expect(killed.relayAll()).rejects.toThrow("killed");
    await Promise.all([drain.relayAll(), drain.relayAll(), draining(eventLog.log).relayAll()]);
    expect(await messages()).toHaveLength(2);
    expect(aside).toEqual([]);
  });

  it("turns invalid and conflicting entries into dead letters, reports each once, and continues", async () => {
    await store.connection.changes.apply(changeOf("active_features", { add: ["one"] }));
    await waiting(2);
    const [, first] = (await outbox.read(10)).flatMap(({ records }) => records ?? []);
    await drain.relayAll();
    await store.spoil("active_features", '{"of":"nonsense"}');
    await store.spoil("active_features", JSON.stringify({ ...first, by: "somebody else" }));
    await store.spoil("active_features", JSON.stringify({ ...first, by: "somebody else", key: "a{b}" }));
    await store.connection.changes.apply(changeOf("active_features", { add: ["two"] }));
    await waiting(4);
    await drain.relayAll();
    expect(aside).toHaveLength(3);
    expect(aside[2]).toContain("cannot record its item again: cannot record changes of a{b}");
    expect(drain.deadLetters).toBe(3);
    const events = await eventLog.log.find({ component: "tidegate" }, 10);
    expect(events.map(({ data }) => (data as { entry?: string }).entry)).toContain('{"of":"nonsense"}');
    expect(await messages()).toContain("active_features: two added");
    expect((await outbox.backlog()).entries).toBe(0);
  });

  it("makes one dead letter for each record of a set that the log cannot contain", async () => {
    const key = `features:user:${"x".repeat(3_000)}`;
    const refusing: EventLog = {
      ...eventLog.log,
      record: async (events) => {
        const refused = events.filter(({ change: { record } }) => record.of === "set" && record.key === key);
        const rest = await eventLog.log.record(events.filter((event) => !refused.includes(event)));
        return [...rest, ...refused.map((event) => ({ event, reason: "no" }))];
      },
    };
    await store.connection.changes.apply(changeOf(key, { add: ["one"] }));
    await waiting(2);
    const drain = draining(refusing);
    const areAside = async () => {
      await drain.relayAll();
      return aside.length === 3;
    };
    await until(areAside, "both records, and that which was made again, are set aside");
    await waiting(0);
    await store.connection.changes.apply(changeOf("active_features", { add: ["one"] }));
    await waiting(2);
    await drain.relayAll();
    await waiting(0);
    expect(aside).toEqual(["no", "no", "no"]);
  });

  it("records external changes once, with added and removed members", async () => {
    const [one, other] = [watching("active_features").watch, watching("active_features").watch];
    await store.put("active_features", ["one", "two"]);
    await one.reconcile();
    await store.put("active_features", ["three"]);
    await store.take("active_features", ["one"]);
    for (const watch of [one, other]) watch.changed("active_features");
    await Promise.all([one.reconcile(), other.reconcile()]);
    await drain.relayAll();
    const events = (await eventLog.log.find({ key: "active_features" }, 10)).map(({ data }) => data);
    expect(events).toMatchObject([
      { origin: "external", added: ["three"], removed: ["one"] },
      { origin: "baseline", size: 2 },
    ]);
  });

  it("knows all sets of a family after one reconciliation, absent ones as empty", async () => {
    await store.put("features:user:1", ["one"]);
    const { watch, complete } = watching("features:user:{userId}");
    expect(await complete.of("features", "features:user:{userId}")).toBeUndefined();
    await watch.reconcile();
    expect(await complete.of("features", "features:user:{userId}")).toBeCloseTo(Date.now(), -5);
    await drain.relayAll();
    expect((await eventLog.history.setAt("features", "features:user:1", Date.now()))?.features).toEqual(["one"]);
  });

  it("reconciles all sets if too many keys change", async () => {
    const { index, changes } = store.connection;
    let looks = 0;
    let asked = 0;
    const complete = historyCoverage(
      (id) => eventLog.log.one(id),
      async (store) => [store],
      idFor,
      "test",
      Date.now,
    );
    const watched = {
      name: "features",
      index: {
        keys: (prefix: string, max: number) => {
          asked += 1;
          return index.keys(prefix, max);
        },
        holders: async () => [],
        holding: async () => ({ keys: [] }),
        contents: async () => undefined,
      },
      changes: {
        revisions: (keys: readonly string[]) => changes.revisions(keys),
        reconcile: async () => ++looks === 0,
        rebase: () => Promise.reject(new Error("no set is rebased")),
      },
      editableSets: [family("features:user:{userId}")],
    };
    const watch = new SetReconciler(watched, eventLog.log, eventLog.history, drain, complete);
    await watch.reconcile();
    expect([asked, watch.isDue]).toEqual([1, false]);
    for (let user = 0; user < 150_000; user++) watch.changed(`features:user:${user}`);
    await watch.reconcile();
    expect([looks, asked, watch.isDue]).toEqual([100_000, 2, false]);
  });

  it("begins a new epoch after a data loss of the store", async () => {
    const { watch } = watching("active_features", "location:{location}");
    for (const key of ["active_features", "location:madrid"]) {
      await store.connection.changes.apply(changeOf(key, { add: ["one"] }));
    }
    await watch.reconcile();
    await emptied(store.server.client);
    watch.changed(undefined);
    await watch.reconcile();
    await drain.relayAll();
    for (const key of ["active_features", "location:madrid"]) {
      expect((await eventLog.history.setAt("features", key, Date.now()))?.features).toEqual([]);
    }
  });

  it("begins a new epoch after a restore of an older copy", async () => {
    const { watch } = watching("active_features");
    const { client } = store.server;
    await store.connection.changes.apply(changeOf("active_features", { add: ["one"] }));
    await watch.reconcile();
    const keys = await client.keys("*active_features*");
    const copies = await Promise.all(keys.map(async (key) => [key, await client.dumpBuffer(key)] as const));
    await store.connection.changes.apply(changeOf("active_features", { add: ["two"] }));
    await drain.relayAll();
    await client.del(...(await client.keys("*active_features*")));
    for (const [key, copy] of copies) if (copy) await client.restore(key, 0, copy);
    watch.changed(undefined);
    await watch.reconcile();
    await drain.relayAll();
    expect(aside).toEqual([]);
    expect((await eventLog.history.setAt("features", "active_features", Date.now()))?.features).toEqual(["one"]);
    const turned = await eventLog.log.find({ key: "active_features" }, 1);
    expect(turned[0]?.data).toMatchObject({ origin: "baseline", members: ["one"] });
  });

  it("agrees with a restored store that changed before the reconciliation", async () => {
    const { client } = store.server;
    const { changes, documents } = store.connection;
    const put = (value: number) => documents.put({ ...aChange(), collection: "rules:week", name: "menu", value });
    await changes.apply(changeOf("active_features", { add: ["one"] }));
    await put(1);
    const copies = await Promise.all(
      (await client.keys("*")).map(async (key) => [key, await client.dumpBuffer(key)] as const),
    );
    await changes.apply(changeOf("active_features", { add: ["two"] }));
    await put(2);
    await waiting(5);
    await drain.relayAll();
    await emptied(client);
    for (const [key, copy] of copies)
      if (copy && !key.includes("outbox")) await client.restore(key, 0, copy, "REPLACE");
    await changes.apply(changeOf("active_features", { add: ["three"] }));
    await put(3);
    await waiting(2);
    await drain.relayAll();
    await waiting(0);
    expect(aside).toEqual([
      expect.stringContaining("has the same revision"),
      expect.stringContaining("has the same revision"),
    ]);
    const { history } = eventLog;
    expect((await history.setAt("features", "active_features", Date.now()))?.features).toEqual(["one", "three"]);
    expect((await history.documentAt("features", "rules:week", "menu", Date.now()))?.value).toBe(3);
    const { watch } = watching("active_features");
    await watch.reconcile();
    expect(await messages()).toHaveLength(10);
  });

  it("reads the identity of its store even without the lease, and restores it after a flush", async () => {
    let reads = 0;
    const identity = async () => {
      reads += 1;
    };
    const lease = { hold: async () => false, release: async () => {} };
    const listener = { failed: () => {}, recovered: () => {}, behind: () => {} };
    const job = new OutboxRelayJob(
      { name: "features", identity, lease, outbox },
      draining(eventLog.log),
      listener,
      Date.now,
    );
    job.start();
    await until(() => reads > 0, "the identity is read");
    await job.stop();
  });

  it("runs in the process with the lease, and reports a failure once", async () => {
    const { watch } = watching("active_features");
    const recorded = async () => {
      const set = await eventLog.history.setAt("features", "active_features", Date.now());
      return set?.features.toSorted().join(",");
    };
    const notified: string[] = [];
    let failuresLeft = 0;
    const log: EventLog = {
      ...eventLog.log,
      record: (events) => {
        if (failuresLeft === 0) return eventLog.log.record(events);
        failuresLeft -= 1;
        return Promise.reject(new Error("the log is away"));
      },
    };
    const { identity } = store.connection;
    const kept = { name: "features", identity, lease: store.connection.lease("tested"), outbox, sets: watch };
    const listener = {
      failed: () => notified.push("failed"),
      recovered: () => notified.push("recovered"),
      behind: () => notified.push("behind"),
    };
    const keeping = new OutboxRelayJob(kept, draining(log), listener, Date.now);
    const feed = store.connection.invalidations(["active_features"]);
    feed.subscribe((key) => keeping.changed(key));
    keeping.start();
    try {
      await store.put("active_features", ["one"]);
      await until(async () => (await recorded()) === "one", "the edit is in the log");
      expect(await store.connection.lease("tested").hold()).toBe(false);
      failuresLeft = Number.POSITIVE_INFINITY;
      await store.put("active_features", ["two"]);
      await until(() => notified.includes("failed"), "the failure is reported");
      await until(() => keeping.backlog.entries === 1, "the backlog is known");
      failuresLeft = 0;
      await until(() => notified.includes("recovered"), "the recovery is reported");
      expect(await recorded()).toBe("one,two");
      failuresLeft = 1;
      await store.put("active_features", ["three"]);
      await until(async () => (await recorded()) === "one,three,two", "the next run relays the edit");
      expect(notified).toEqual(["failed", "recovered"]);
    } finally {
      await keeping.stop();
      await feed[Symbol.asyncDispose]();
    }
    expect(await store.connection.lease("tested").hold()).toBe(true);
  });

  it("leaves the backlog to other processes on a stop, and holds the lease during a long relay", async () => {
    for (let from = 0; from < 12; from++) {
      const items = Array.from({ length: 250 }, (_, index) => ({
        key: `features:user:${from}-${index}`,
        personal: true,
        features: ["one"],
        limit: 10,
      }));
      await store.connection.changes.load({ by: "loader", load: "import", from, to: from + 1, items });
    }
    await waiting(3_000);
    const gate = Promise.withResolvers<void>();
    let rounds = 0;
    const log: EventLog = {
      ...eventLog.log,
      record: async (events) => {
        rounds += 1;
        await gate.promise;
        return eventLog.log.record(events);
      },
    };
    const listener = { failed: () => {}, recovered: () => {}, behind: () => {} };
    const { identity } = store.connection;
    const kept = { name: "features", identity, lease: store.connection.lease("tested"), outbox };
    const keeping = new OutboxRelayJob(kept, draining(log), listener, Date.now);
    keeping.start();
    await until(() => rounds === 1, "it has begun");
    await until(() => keeping.backlog.entries === 3_000, "the backlog is reported meanwhile");
    const leftMs = () => store.server.client.pttl("tidegate:lease:tested");
    let min = await leftMs();
    await until(async () => {
      const left = await leftMs();
      min = Math.min(min, left);
      return left > min + 100;
    }, "the lease is renewed");
    const stopped = keeping.stop();
    gate.resolve();
    await stopped;
    expect(rounds).toBe(1);
    expect((await outbox.backlog()).entries).toBe(2_500);
    await drain.relayAll();
    expect((await eventLog.log.head()).position).toBe(3_000);
    const [event] = await eventLog.log.find({ key: "features:user:11-249" }, 2);
    expect(event).toMatchObject({ recordedBy: "loader", message: "features:user:11-249: one added" });
    expect((await eventLog.history.setAt("features", "features:user:3-7", Date.now()))?.features).toEqual(["one"]);
  });
});
