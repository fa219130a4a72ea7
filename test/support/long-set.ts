import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { EventLogLocation } from "../../src/infrastructure/event-log/database/database.ts";
import { openEventLog } from "../../src/infrastructure/event-log/open-event-log.ts";
import { openSqlite } from "../../src/infrastructure/sqlite/sqlite-connection.ts";
import { SetEvents } from "./events.ts";
import { sqliteRules, startOperator } from "./operator.ts";
import { createDatabase } from "./postgres.ts";

type Explained = { readonly feature: string; readonly on: boolean };

const batches = 20;

/** The tests that a set with many changes is explained in time. `changes` is a multiple of 20. */
export function longSetRuns(changes: number): void {
  const batch = changes / batches;
  const textOf = (at: number) => new Date(at).toISOString();

  describe(`a set of ${changes} changes`, () => {
    const folder = mkdtempSync(join(tmpdir(), "tidegate-long-"));
    afterAll(() => rmSync(folder, { recursive: true }));

    it.each<[string, () => Promise<{ location: EventLogLocation; env: NodeJS.ProcessEnv; rules: string }>]>([
      [
        "SQLite",
        async () => {
          const file = join(folder, "log.db");
          const rules = sqliteRules.replace(
            "connections:",
            `connections:\n  events: { kind: sqlite, file: "${file}" }`,
          );
          return { location: { kind: "sqlite", file }, env: {}, rules };
        },
      ],
      [
        "PostgreSQL",
        async () => {
          const { url } = await createDatabase();
          return { location: { kind: "postgres", url }, env: { DATABASE_URL: url }, rules: sqliteRules };
        },
      ],
    ])("is explained at a past time within 1 s: %s", async (_, location) => {
      const { location: where, env, rules } = await location();
      const notified = new SetEvents("active_features");
      const data = mkdtempSync(join(folder, "store-"));
      const instants: { at: number; feature: string }[] = [];
      {
        await using eventLog = openEventLog(where);
        await using store = openSqlite("features", join(data, "store.db"));
        // The service's store has made the records under the name of its connection.
        const identity = (await store.identity()) ?? "";
        await eventLog.stores.enter(identity, "features");
        await eventLog.stores.claim(identity, "features");
        for (const key of ["global_features", "tidegate:killed", "features:user:1"]) {
          await eventLog.log.record([new SetEvents(key, ...(key === "features:user:1" ? ["f7"] : [])).begins()]);
        }
        let events = [notified.begins()];
        for (let number = 0; number < changes; number++) {
          const feature = `f${number % batch}`;
          const change = Math.floor(number / batch) % 2 === 0 ? { add: [feature] } : { remove: [feature] };
          events.push(notified.changes(change));
          if (events.length >= batch) {
            await eventLog.log.record(events);
            events = [];
            instants.push({ at: notified.at, feature });
          }
        }
        await eventLog.log.record(events);
      }
      await using operator = await startOperator(rules, { ...env, FOLDER: data });
      const times: number[] = [];
      for (const { at } of instants) {
        const began = performance.now();
        const { body } = await operator.post("/explain", { user: "1", at: textOf(at) });
        times.push(performance.now() - began);
        const f7 = body.features.find(({ feature }: Explained) => feature === "f7");
        const isOn = Math.floor((at - (instants[0]?.at ?? 0)) / (batch * 1_000)) % 2 === 0;
        expect([textOf(at), body.sources[1].state, f7?.on]).toEqual([textOf(at), "evaluated", isOn]);
      }
      expect(instants).toHaveLength(batches);
      // It takes some 50 ms on an idle machine; the best of many runs depends little on others.
      expect(Math.min(...times)).toBeLessThan(500);
    });
  });
}
