import type { DatabaseSync } from "node:sqlite";
import { uncachedRead } from "../../../domain/evaluation/cached-read.ts";
import { dayOf, type FeatureRegister, registeredForDays } from "../../../domain/features/feature-register.ts";
import type { SqliteJournal } from "../sqlite-journal.ts";

/** Feature register in a SQLite table, with the day on which each key was last registered. */
export function sqliteFeatureRegister(database: DatabaseSync, journal: SqliteJournal): FeatureRegister {
  const select = database.prepare("SELECT feature FROM register WHERE day >= ?");
  const insert = database.prepare("INSERT OR REPLACE INTO register (feature, day) VALUES (?, ?)");
  const deleteOld = database.prepare("DELETE FROM register WHERE day < ?");

  return {
    async read() {
      const at = Date.now();
      const rows = select.all(dayOf(at) - registeredForDays);
      return uncachedRead(new Set(rows.map((row) => String(row["feature"]))), at);
    },
    async add(keys) {
      const today = dayOf(Date.now());
      journal.transaction(() => {
        for (const key of keys) insert.run(key, today);
        deleteOld.run(today - registeredForDays);
      });
    },
  };
}
