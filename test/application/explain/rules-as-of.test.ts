import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { v5 as uuidv5, v7 as uuidv7 } from "uuid";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { OutboxRelay } from "../../../src/application/events/outbox-relay.ts";
import { RuleReconciler } from "../../../src/application/events/rule-reconciler.ts";
import { PastRules } from "../../../src/application/explain/past-rules.ts";
import { RulesAsOf } from "../../../src/application/explain/rules-as-of.ts";
import type { Outbox } from "../../../src/domain/admin/outbox.ts";
import { EventLogUnavailable, HistoryUnavailable } from "../../../src/domain/errors.ts";
import type { Json } from "../../../src/domain/evaluation/feature.ts";
import { type OpenEventLog, openEventLog } from "../../../src/infrastructure/event-log/open-event-log.ts";
import { aChange, sqliteStore, type TestStore } from "../../support/stores.ts";
import { until } from "../../support/until.ts";

describe("the settings of a past moment", () => {
  let folder: string;
  let file: string;
  let store: TestStore;
  let eventLog: OpenEventLog;
  let outbox: Outbox;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "tidegate-past-"));
    file = join(folder, "store.db");
    store = sqliteStore(file);
    eventLog = openEventLog({ kind: "sqlite", file: join(folder, "events.db") });
    outbox = store.connection.outbox();
  });
  afterEach(async () => {
    await outbox[Symbol.asyncDispose]();
    await eventLog[Symbol.asyncDispose]();
    await store[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  const draining = () =>
    new OutboxRelay(new Map([["features", outbox]]), eventLog.log, {
      environment: "test",
      now: Date.now,
      identityOf: async (store) => store,
      idFor: (text) => uuidv5(text, uuidv5.URL),
      foundUnusable: () => {},
    });
  const watch = async () => {
    const { documents, settings } = store.connection;
    const watched = { name: "features", documents, settings, collections: ["shares"] };
    const watching = new RuleReconciler(watched, eventLog.history, draining(), uuidv7);
    await watching.reconcile();
    expect(watching.isDue).toBe(false);
    await draining().relay("features");
  };
  const recalling = (drain = () => draining().relay("features")) =>
    new RulesAsOf(eventLog.history, {
      revisions: (_, collection) => store.connection.documents.revisions(collection),
      drain,
    });
  const at = async (moment: number, recall = recalling()) => {
    const { value } = await new PastRules(recall, "features", moment).read("shares");
    return Object.fromEntries(value);
  };
  /** Changes a setting; answers when that was done. */
  const put = async (name: string, value: Json) => {
    await store.connection.documents.put({ ...aChange(), collection: "shares", name, value });
    return moment();
  };
  /** Now; what follows is later. */
  const moment = async () => {
    const now = Date.now();
    await until(() => Date.now() > now + 1, "the clock goes on");
    return now;
  };
  const edit = (sql: string, ...values: string[]) => {
    using other = new DatabaseSync(file);
    other.prepare(sql).run(...values);
  };

  it("are what was recorded up to then, from when on the log tells of all of them", async () => {
    await watch();
    const empty = await moment();
    const one = await put("a", { share: 1 });
    const two = await put("b", { share: 2 });
    const three = await put("a", null);
    expect(await Promise.all([empty, one, two, three].map((moment) => at(moment)))).toEqual([
      {},
      { a: { share: 1 } },
      { a: { share: 1 }, b: { share: 2 } },
      { b: { share: 2 } },
    ]);
  });

  it("are not known before, and from when on they are, is said", async () => {
    const before = await put("a", 1);
    await expect(at(before)).rejects.toMatchObject({ code: "not-known", parts: [{ name: "shares" }] });
    await watch();
    const error = await at(before).catch((cause) => cause);
    expect(error).toBeInstanceOf(HistoryUnavailable);
    const [{ from }] = error.parts;
    expect(from).toBeGreaterThan(before);
    expect(await at(from)).toEqual({ a: 1 });
    await expect(at(from - 1)).rejects.toBeInstanceOf(HistoryUnavailable);
    await watch();
    expect(await at(from)).toEqual({ a: 1 });
  });

  it("have in them what was acknowledged and is not in the log yet, also what was removed", async () => {
    await put("a", 1);
    await put("b", 1);
    await watch();
    await put("a", 2);
    await put("b", null);
    expect(await at(await put("c", 1))).toEqual({ a: 2, c: 1 });
    const brief = await put("d", 1);
    expect(await at(await put("d", null))).toEqual({ a: 2, c: 1 });
    expect(await at(brief)).toEqual({ a: 2, c: 1, d: 1 });
  });

  it("cannot be told while what waits does not reach the log", async () => {
    await watch();
    const later = await put("a", 1);
    const stuck = recalling(() => Promise.reject(new Error("the log is away")));
    await expect(at(later, stuck)).rejects.toBeInstanceOf(EventLogUnavailable);
    expect(await at(later)).toEqual({ a: 1 });
    expect(await at(later, stuck)).toEqual({ a: 1 });
  });

  it("are recorded as found, where somebody changed them behind our back or the log was lost", async () => {
    for (const name of ["kept", "changed", "gone"]) await put(name, { share: 1 });
    await watch();
    const before = await moment();
    edit("UPDATE documents SET value = ? WHERE name = ?", '{"share":9}', "changed");
    edit("UPDATE documents SET value = NULL WHERE name = ?", "gone");
    expect(await at(before)).toMatchObject({ changed: { share: 1 }, gone: { share: 1 } });
    await watch();
    expect(await at(before)).toMatchObject({ changed: { share: 1 }, gone: { share: 1 } });
    expect(await at(Date.now())).toEqual({ kept: { share: 1 }, changed: { share: 9 } });
    const told = async (key: string) =>
      (await eventLog.log.find({ key: `shares/${key}` }, 9)).map(({ recordedBy }) => recordedBy);
    expect(await told("changed")).toEqual(["external", "tester"]);
    expect(await told("kept")).toEqual(["tester"]);

    await eventLog[Symbol.asyncDispose]();
    eventLog = openEventLog({ kind: "sqlite", file: join(folder, "another.db") });
    await expect(at(Date.now())).rejects.toBeInstanceOf(HistoryUnavailable);
    await watch();
    expect(await at(Date.now())).toEqual({ kept: { share: 1 }, changed: { share: 9 } });
    await expect(at(before)).rejects.toBeInstanceOf(HistoryUnavailable);
  });
});
