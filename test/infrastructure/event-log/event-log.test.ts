import { execFile, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { EventLogUnavailable } from "../../../src/domain/errors.ts";
import type { LogHead } from "../../../src/domain/events/event.ts";
import type { EventLogLocation } from "../../../src/infrastructure/event-log/database/database.ts";
import { type OpenEventLog, openEventLog } from "../../../src/infrastructure/event-log/open-event-log.ts";
import { eventLogContract } from "../../contracts/event-log.contract.ts";
import { historyContract } from "../../contracts/history.contract.ts";
import { usageStoreContract } from "../../contracts/usage-store.contract.ts";
import { anEvent, documentEvent, SetEvents, setEvent } from "../../support/events.ts";
import { createDatabase, queryDatabase } from "../../support/postgres.ts";
import { TcpProxy } from "../../support/tcp-proxy.ts";
import { until } from "../../support/until.ts";

/** A database server, or its stand-in. */
type Databases = AsyncDisposable & {
  /** The location for another log, with nothing in it. */
  readonly location: () => Promise<EventLogLocation>;
  /** The location for another log, with the tables of an empty one where they take long to create. */
  readonly prepared: () => Promise<EventLogLocation>;
  /** Runs statements directly on the database. */
  readonly tamper: (location: EventLogLocation, sql: string) => Promise<unknown>;
  /** Returns the rows of a query. */
  readonly rows: (location: EventLogLocation, sql: string) => Promise<readonly unknown[]>;
};

async function sqliteFiles(): Promise<Databases> {
  const folder = mkdtempSync(join(tmpdir(), "tidegate-events-"));
  let count = 0;
  const location = async (): Promise<EventLogLocation> => {
    count += 1;
    return { kind: "sqlite", file: join(folder, `deep/${count}.db`) };
  };
  return {
    location,
    prepared: location,
    tamper: async (location, sql) => {
      using database = new DatabaseSync(location.kind === "sqlite" ? location.file : "", { timeout: 5_000 });
      database.exec(sql);
    },
    rows: async (location, sql) => {
      using database = new DatabaseSync(location.kind === "sqlite" ? location.file : "", { timeout: 5_000 });
      return database.prepare(sql).all();
    },
    [Symbol.asyncDispose]: async () => rmSync(folder, { recursive: true }),
  };
}

async function postgresDatabases(): Promise<Databases> {
  const { url } = await createDatabase();
  {
    await using template = openEventLog({ kind: "postgres", url });
    await isOpen(template);
  }
  const name = new URL(url).pathname.slice(1);
  return {
    location: async () => ({ kind: "postgres", url: (await createDatabase()).url }),
    prepared: async () => ({ kind: "postgres", url: (await createDatabase(`TEMPLATE ${name}`)).url }),
    tamper: (location, sql) => queryDatabase(location.kind === "postgres" ? location.url : "", sql),
    rows: async (location, sql) => (await queryDatabase(location.kind === "postgres" ? location.url : "", sql)).rows,
    [Symbol.asyncDispose]: async () => {},
  };
}

/** Waits until the database is open. A call waits 2 s for that, which may be too short on a busy machine. */
const isOpen = ({ log }: OpenEventLog) =>
  until(
    () =>
      log.check().then(
        () => true,
        () => false,
      ),
    "the log is open",
  );

const opening = `import { openEventLog } from ${JSON.stringify(resolve("src/infrastructure/event-log/open-event-log.ts"))};`;

/** Runs a script that has `openEventLog` and the location of a log, in its own process, to its end. */
const inProcess = (location: EventLogLocation, script: string) =>
  promisify(execFile)(process.execPath, [
    "--input-type=module",
    "--eval",
    `${opening} const location = ${JSON.stringify(location)};\n${script}`,
  ]);

describe.each([
  ["SQLite", sqliteFiles],
  ["PostgreSQL", postgresDatabases],
])("%s", (name, start) => {
  const opened = new AsyncDisposableStack();
  let databases: Databases;
  let shared: OpenEventLog;
  beforeAll(async () => {
    databases = opened.use(await start());
    shared = await openEmpty();
  });
  afterAll(() => opened.disposeAsync());

  const openAt = async (location: EventLogLocation) => {
    const eventLog = opened.use(openEventLog(location));
    await isOpen(eventLog);
    return eventLog;
  };
  const openEmpty = async () => openAt(await databases.prepared());

  eventLogContract(
    () => shared.log,
    async () => (await openEmpty()).log,
  );
  historyContract(() => shared, openEmpty);
  usageStoreContract(
    () => shared.usage,
    async () => (await openEmpty()).usage,
  );

  describe("tampering with a log", () => {
    const copied = `'new', component, environment, email, message, folded, data, created_at, recorded_by, store, kind, key,
      epoch, number, record, hash FROM saved WHERE position = 2`;
    let location: EventLogLocation;
    let eventLog: OpenEventLog;
    let head: LogHead;
    beforeAll(async () => {
      location = await databases.prepared();
      eventLog = await openAt(location);
      const set = new SetEvents("global_features", "a");
      for (let count = 0; count < 3; count++) await eventLog.log.append(anEvent({ data: { count } }));
      await eventLog.log.record([set.begins(), set.changes({ add: ["b"] }), set.changes({ remove: ["a"] })]);
      head = await eventLog.log.head();
      await databases.tamper(location, "CREATE TABLE saved AS SELECT * FROM events");
      await databases.tamper(location, "CREATE TABLE saved_chain AS SELECT * FROM chain");
    });
    afterEach(async () => {
      const restored = [
        "DELETE FROM events",
        "INSERT INTO events SELECT * FROM saved",
        "DELETE FROM chain",
        "INSERT INTO chain SELECT * FROM saved_chain",
      ];
      await databases.tamper(location, restored.join(";"));
      expect(await eventLog.log.verify()).toMatchObject({ isSound: true });
    });

    const later = name === "SQLite" ? "created_at + 1" : "created_at + interval '1 millisecond'";
    const written = /was changed, or does not follow/;
    const derived = /was changed: its column/;

    it.each([
      ["id", "'other'", 2, written],
      ["component", "'other'", 2, written],
      ["environment", "'other'", 2, written],
      ["email", "'other'", 2, written],
      ["message", "'other'", 2, written],
      ["data", `'{"count":9}'`, 2, written],
      ["created_at", later, 2, written],
      ["recorded_by", "'other'", 2, written],
      ["hash", "'other'", 2, written],
      ["record", "data", 5, /./],
      ["store", "'other'", 5, written],
      ["store", "NULL", 5, written],
      ["folded", "'other'", 2, derived],
      ["kind", "'token'", 5, derived],
      ["key", "'other'", 5, derived],
      ["epoch", "'other'", 5, derived],
      ["number", "9", 5, derived],
    ] as const)("is detected: a changed %s (%s) at position %i", async (column, value, position, fault) => {
      await databases.tamper(location, `UPDATE events SET ${column} = ${value} WHERE position = ${position}`);
      expect(await eventLog.log.verify()).toEqual({ isSound: false, position, fault: expect.stringMatching(fault) });
    });

    it.each([
      ["a removed event", "DELETE FROM events WHERE position = 3", 3, /is missing/],
      ["a removed beginning", "DELETE FROM events WHERE position < 3", 1, /is missing/],
      ["an end that was cut off", "DELETE FROM events WHERE position > 4", 5, /is missing/],
      ["a log that was emptied", "DELETE FROM events", 1, /is missing/],
      [
        "an event that was inserted",
        `UPDATE events SET position = position + 10 WHERE position > 2; INSERT INTO events SELECT 3, ${copied};
         UPDATE events SET position = position - 9 WHERE position > 10; UPDATE chain SET position = 7`,
        3,
        written,
      ],
      ["an event that was added", `INSERT INTO events SELECT 7, ${copied}`, 7, written],
      [
        "an event after the head",
        "UPDATE chain SET position = 5, hash = (SELECT hash FROM events WHERE position = 5)",
        6,
        /is after the end of the log/,
      ],
      [
        "two swapped events",
        `UPDATE events SET position = -2 WHERE position = 2; UPDATE events SET position = 2 WHERE position = 3;
         UPDATE events SET position = 3 WHERE position = -2`,
        2,
        written,
      ],
      ["another hash at the end", "UPDATE chain SET hash = 'other'", 6, /has another hash than the recorded head/],
      ["a later end", "UPDATE chain SET position = 8", 7, /is missing/],
      ["a later beginning", "UPDATE chain SET start_position = 2", 3, written],
      [
        "a later beginning that fits",
        "UPDATE chain SET start_position = 2, start_hash = (SELECT hash FROM events WHERE position = 2)",
        1,
        /is before the start of the log/,
      ],
    ])("is detected: %s", async (_, sql, position, fault) => {
      await databases.tamper(location, sql);
      expect(await eventLog.log.verify()).toEqual({ isSound: false, position, fault: expect.stringMatching(fault) });
    });

    it("is verified part by part, and again behind a part", async () => {
      const { log } = eventLog;
      const first = await log.verify(undefined, { limit: 2 });
      expect(first).toMatchObject({ isSound: true, head: { position: 2 }, last: 6 });
      const after = first.isSound ? first.head : undefined;
      expect(await log.verify(undefined, { limit: 3, after })).toMatchObject({ start: after, head: { position: 5 } });
      expect(await log.verify(undefined, { limit: 4, after })).toMatchObject({ head, last: 6 });
      expect(await log.verify(undefined, { limit: 4, after: head })).toMatchObject({
        isSound: true,
        start: head,
        head,
      });

      await databases.tamper(location, "UPDATE events SET message = 'other' WHERE position = 4");
      expect(await log.verify(undefined, { limit: 1, after })).toMatchObject({ isSound: true });
      expect(await log.verify(undefined, { limit: 2, after })).toMatchObject({ isSound: false, position: 4 });
      const end = "(SELECT hash FROM events WHERE position = 4)";
      await databases.tamper(
        location,
        `DELETE FROM events WHERE position > 4; UPDATE chain SET position = 4, hash = ${end}`,
      );
      expect(await log.verify(undefined, { limit: 10, after: head })).toMatchObject({ isSound: false, position: 5 });
    });

    it("is detected: a deleted head row", async () => {
      await databases.tamper(location, "DELETE FROM chain");
      await expect(eventLog.log.verify()).rejects.toThrow(EventLogUnavailable);
      await expect(eventLog.log.append(anEvent())).rejects.toThrow(EventLogUnavailable);
    });

    it("is detected against a head that was stored elsewhere: a truncated or rewritten log", async () => {
      const end = "(SELECT hash FROM events WHERE position = 4)";
      await databases.tamper(
        location,
        `DELETE FROM events WHERE position > 4; UPDATE chain SET position = 4, hash = ${end}`,
      );
      expect(await eventLog.log.verify()).toMatchObject({ isSound: true });
      expect(await eventLog.log.verify(head)).toMatchObject({ isSound: false, position: 5 });
      expect(await eventLog.log.verify({ hash: head.hash })).toMatchObject({ isSound: false });

      const { log } = await openEmpty();
      for (let count = 0; count < 7; count++) await log.append(anEvent({ data: { count } }));
      expect(await log.verify()).toMatchObject({ isSound: true });
      expect(await log.verify(head)).toMatchObject({ isSound: false, position: 6 });
    });

    if (name === "SQLite") {
      it("is detected: an invalid event", async () => {
        await databases.tamper(location, "UPDATE events SET data = '{' WHERE position = 2");
        const fault = "is not a valid event";
        expect(await eventLog.log.verify()).toEqual({ isSound: false, position: 2, fault });
      });
    }
  });

  it("keeps the state of sets and documents when events expire", async () => {
    const { log, history } = await openEmpty();
    const set = new SetEvents("global_features", "a");
    const events = [
      set.begins(),
      set.changes({ add: ["b"] }),
      set.changes({ remove: ["a"] }),
      set.changes({ add: ["c"] }),
    ];
    const [first, second, third, fourth] = events.map(({ at }) => at) as [number, number, number, number];
    const large = setEvent({ key: "large", at: first, origin: "baseline", size: 5_000 });
    const documents = [{ owner: "ann" }, { owner: "bob" }].map((value, number) =>
      documentEvent({
        collection: "catalogue",
        name: "a",
        value,
        at: first + number,
        revision: { epoch: "one", number },
      }),
    );
    await log.record([large, ...documents, ...events]);
    await log.expire(fourth, anEvent());
    const setAt = (at: number) => history.setAt("features", "global_features", at);
    expect([await setAt(first), await setAt(second), await setAt(third - 1)]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(await setAt(third)).toEqual({ features: ["b"], recordedAt: third });
    expect(await setAt(fourth)).toEqual({ features: ["b", "c"], recordedAt: fourth });
    expect(await history.firstRecord("features", "global_features")).toBe(third);
    expect(await history.setAt("features", "large", fourth)).toBeUndefined();
    const lastChanges = await history.lastChanges("features", "global_features", fourth);
    expect(lastChanges.map(({ feature, on }) => [feature, on])).toEqual([["c", true]]);
    const documentAt = (at: number) => history.documentAt("features", "catalogue", "a", at);
    expect([await documentAt(first), await documentAt(fourth)]).toEqual([undefined, documents[1]?.change.record]);
    expect(await history.keys("features", "")).toEqual(["global_features", "large"]);
    expect((await history.revisions("features", "", 10)).map(({ revision }) => revision.number)).toEqual([4, 1]);
    expect(await log.record(events.slice(2))).toMatchObject([{ reason: /later revision/ }]);
    expect(await log.record([set.changes({ add: ["d"] })])).toEqual([]);
    expect(await setAt(set.at)).toMatchObject({ features: ["b", "c", "d"] });
    expect((await log.find({ feature: "b" }, 10)).length).toBe(0);
  });

  it("expires the whole texts of long keys and features that no event and no set refers to", async () => {
    const location = await databases.prepared();
    const { log, history } = await openAt(location);
    const long = (name: string) => `${name}:${"字".repeat(700)}`;
    const set = new SetEvents(long("users"), long("kept"));
    const events = [set.begins(), set.changes({ add: [long("gone")] }), set.changes({ remove: [long("gone")] })];
    const described = documentEvent({ collection: "catalogue", name: long("described"), value: 1 });
    const ends = documentEvent({
      collection: "catalogue",
      name: long("recent"),
      value: 1,
      at: set.at + 1_000,
    });
    await log.record([described, ...events, ends]);
    const texts = async () => {
      const rows = await databases.rows(location, "SELECT text FROM long_texts ORDER BY text");
      return rows.map((row) => (row as { text: string }).text.replace(/:字+$/, ""));
    };
    expect(await texts()).toEqual(["described", "gone", "kept", "recent", "users"]);
    expect(await log.expire(set.at + 1, anEvent())).toBe(4);
    expect(await texts()).toEqual(["kept", "recent", "users"]);
    expect((await history.setAt("features", long("users"), set.at))?.features).toEqual([long("kept")]);
    expect(await log.record([set.changes({ add: [long("gone")] })])).toEqual([]);
    expect((await history.setAt("features", long("users"), set.at))?.features).toEqual([long("gone"), long("kept")]);
  });

  it("can be created and written by several processes at once, and keeps none alive that is idle", async () => {
    const location = await databases.location();
    const events = Array.from({ length: 30 }, () => anEvent());
    const script = `const eventLog = openEventLog(location);
      await Promise.all(${JSON.stringify(events)}.map((event) => eventLog.log.append({ ...event, id: event.id + process.pid })));`;
    await Promise.all([inProcess(location, script), inProcess(location, script)]);
    await using eventLog = openEventLog(location);
    expect(await eventLog.log.verify()).toMatchObject({ isSound: true, head: { position: 60 } });
  });

  it("keeps its events when it is closed and opened again", async () => {
    const location = await databases.location();
    const notified = anEvent();
    {
      await using first = openEventLog(location);
      await first.log.append(notified);
    }
    await using second = openEventLog(location);
    expect(await second.log.find({}, 10)).toMatchObject([notified]);
  });

  it("starts no worker thread in a process that runs one command", async () => {
    const script = `import { syncBuiltinESMExports } from "node:module";
      import threads from "node:worker_threads";
      threads.Worker = undefined;
      syncBuiltinESMExports();
      await using opened = openEventLog(location, undefined, { inProcess: true });
      console.log(await opened.log.append(${JSON.stringify(anEvent())}), await opened.log.head());`;
    const { stdout } = await inProcess(await databases.location(), script);
    expect(stdout.match(/position: 1/g)).toHaveLength(2);
  });

  it("rejects calls after close", async () => {
    const eventLog = openEventLog(await databases.prepared());
    await eventLog[Symbol.asyncDispose]();
    await expect(eventLog.log.check()).rejects.toThrow(EventLogUnavailable);
    const used = openEventLog(await databases.prepared());
    await isOpen(used);
    const underWay = used.log.append(anEvent());
    await used[Symbol.asyncDispose]();
    await expect(underWay).resolves.toMatchObject({ position: 1 });
    await expect(used.log.check()).rejects.toThrow(EventLogUnavailable);
  });
});

/** The messages of an error and of its causes. */
function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return `${error.name} ${error.message} ${error.stack} ${JSON.stringify(error)} ${error.cause ? textOf(error.cause) : ""}`;
}

describe("PostgreSQL during an outage", () => {
  const opened = new AsyncDisposableStack();
  let proxy: TcpProxy;
  let eventLog: OpenEventLog;
  beforeAll(async () => {
    const database = await createDatabase();
    proxy = opened.use(await TcpProxy.to(database.port));
    const url = Object.assign(new URL(database.url), { port: proxy.port }).href;
    eventLog = opened.use(openEventLog({ kind: "postgres", url }));
  });
  afterAll(() => opened.disposeAsync());
  afterEach(() => proxy.heal());

  /** The error of a call, and the milliseconds until it. */
  async function failure(call: Promise<unknown>) {
    const since = performance.now();
    const error = await call.then(
      () => undefined,
      (cause: unknown) => cause,
    );
    expect(error).toBeInstanceOf(EventLogUnavailable);
    expect(textOf(error)).not.toContain("s3cret");
    return performance.now() - since;
  }

  it("is reported before the first connection, and gets its tables later", async () => {
    proxy.cut();
    expect(await failure(eventLog.log.head())).toBeLessThan(10_000);
    expect(await failure(eventLog.history.keys("features", ""))).toBeLessThan(5_000);
    proxy.hold();
    expect(await failure(eventLog.log.head())).toBeLessThan(10_000);
    proxy.heal();
    await isOpen(eventLog);
    expect((await eventLog.log.append(anEvent())).position).toBe(1);
  });

  it("is reported immediately if connections are refused, and used again afterwards", async () => {
    const { position } = await eventLog.log.append(anEvent());
    proxy.cut();
    await failure(eventLog.log.append(anEvent()));
    expect(await failure(eventLog.log.append(anEvent()))).toBeLessThan(5_000);
    expect(await failure(eventLog.log.record([setEvent({ key: "k", members: [] })]))).toBeLessThan(5_000);
    proxy.heal();
    await isOpen(eventLog);
    expect((await eventLog.log.append(anEvent())).position).toBe(position + 1);
  });

  it("is reported within seconds if it hangs, and used again afterwards", async () => {
    await eventLog.log.check();
    proxy.hold();
    const calls = [eventLog.log.append(anEvent()), eventLog.log.find({}, 1), eventLog.history.keys("features", "")];
    for (const ms of await Promise.all(calls.map(failure))) expect(ms).toBeLessThan(15_000);
    proxy.heal();
    await isOpen(eventLog);
    expect(await eventLog.log.verify()).toMatchObject({ isSound: true });
  });

  it("loses and duplicates no record while its connections break", async () => {
    const set = new SetEvents("broken");
    const events = [set.begins(), ...Array.from({ length: 39 }, (_, index) => set.changes({ add: [`${index}`] }))];
    const isTaken = async (some: typeof events) => {
      try {
        expect(await eventLog.log.record(some)).toEqual([]);
        return true;
      } catch (error) {
        if (!(error instanceof EventLogUnavailable)) throw error;
        return false;
      }
    };
    let failures = 0;
    for (let batch = 0; batch * 4 < events.length; batch++) {
      const some = events.slice(batch * 4, (batch + 1) * 4);
      const { length } = proxy.sent;
      let over = false;
      // A slow response is lost when the connection breaks, each time that of another statement.
      proxy.delay(10);
      const first = isTaken(some).finally(() => {
        over = true;
      });
      await until(() => over || proxy.sent.length > length + batch, "it is being recorded");
      proxy.cut();
      proxy.heal();
      if (await first) continue;
      failures += 1;
      await until(() => isTaken(some), "the log takes them");
    }
    expect(failures).toBeGreaterThan(3);
    await isOpen(eventLog);
    expect((await eventLog.log.follow({ key: "broken" }, 1_000, 0)).map(({ id }) => id)).toEqual(
      events.map(({ id }) => id),
    );
    expect(await eventLog.log.verify()).toMatchObject({ isSound: true });
  });

  it("is rejected with the reason if its encoding is not UTF-8", async () => {
    const latin = await createDatabase("ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0");
    await using other = openEventLog({ kind: "postgres", url: latin.url });
    const message = "the database encoding is LATIN1; create the database with ENCODING 'UTF8'";
    await expect(other.log.check()).rejects.toMatchObject({ cause: { message } });
  });

  it("is not confused with an invalid table, which is named", async () => {
    const { url } = await createDatabase();
    await queryDatabase(url, "CREATE TABLE events (id integer)");
    await using other = openEventLog({ kind: "postgres", url });
    await expect(other.log.check()).rejects.toMatchObject({ cause: { message: 'relation "events" already exists' } });
  });
});

describe("SQLite", () => {
  it("reports a full disk, and continues once there is space", async (context) => {
    const folder = mkdtempSync(join(tmpdir(), "tidegate-disk-"));
    context.onTestFinished(() => {
      spawnSync("umount", ["-l", folder]);
      rmSync(folder, { recursive: true });
    });
    const { status } = spawnSync("mount", ["-t", "tmpfs", "-o", "size=3m", "tmpfs", folder]);
    if (status !== 0) context.skip("mounting a small disk is not allowed here");
    await using eventLog = openEventLog({ kind: "sqlite", file: join(folder, "events.db") });
    const notified = [await eventLog.log.append(anEvent())];
    const padding = join(folder, "padding");
    writeFileSync(padding, "x".repeat(2_000_000));
    let fault: unknown;
    while (!fault) {
      await eventLog.log.append(anEvent({ data: { text: "x".repeat(10_000) } })).then(
        (event) => notified.push(event),
        (error: unknown) => {
          fault = error;
        },
      );
    }
    expect(fault).toBeInstanceOf(EventLogUnavailable);
    expect(textOf(fault)).toMatch(/full|I\/O/);
    await expect(eventLog.log.record([setEvent({ key: "k", members: ["x".repeat(1_000)] })])).rejects.toThrow(
      EventLogUnavailable,
    );
    expect(await eventLog.log.find({}, 1)).toHaveLength(1);
    // There may be room for a test that changes nothing.
    await expect(eventLog.log.check()).rejects.toThrow(EventLogUnavailable);
    rmSync(padding);
    const next = await eventLog.log.append(anEvent());
    await eventLog.log.check();
    expect(next.position).toBe(notified.length + 1);
    expect(await eventLog.log.verify()).toMatchObject({ isSound: true });
  });

  it("reports with each call that it cannot be opened, and is used once it can", async () => {
    const file = join(tmpdir(), `tidegate-${process.pid}`, "events.db");
    mkdirSync(file, { recursive: true });
    await using eventLog = openEventLog({ kind: "sqlite", file });
    await expect(eventLog.log.check()).rejects.toThrow(EventLogUnavailable);
    rmSync(file, { recursive: true });
    await eventLog.log.check();
    rmSync(join(file, ".."), { recursive: true });
  });
});
