import type { DatabaseSync, StatementSync } from "node:sqlite";
import { type CachedRead, uncachedRead } from "../../../domain/evaluation/cached-read.ts";
import type { FeatureKey } from "../../../domain/evaluation/feature.ts";
import { dayOf, type FeatureRegister, registeredForDays } from "../../../domain/evaluation/feature-register.ts";
import type { SqliteJournal } from "../sqlite-journal.ts";

/** Feature register in a SQLite table, with the day on which each key was last registered. */
export class SqliteFeatureRegister implements FeatureRegister {
  readonly #journal: SqliteJournal;
  readonly #select: StatementSync;
  readonly #insert: StatementSync;
  readonly #delete: StatementSync;

  constructor(database: DatabaseSync, journal: SqliteJournal) {
    this.#journal = journal;
    this.#select = database.prepare("SELECT feature FROM register WHERE day >= ?");
    this.#insert = database.prepare("INSERT OR REPLACE INTO register (feature, day) VALUES (?, ?)");
    this.#delete = database.prepare("DELETE FROM register WHERE day < ?");
  }

  async read(): Promise<CachedRead<ReadonlySet<FeatureKey>>> {
    const at = Date.now();
    const rows = this.#select.all(dayOf(at) - registeredForDays);
    return uncachedRead(new Set(rows.map((row) => String(row["feature"]))), at);
  }

  async add(keys: readonly FeatureKey[]): Promise<void> {
    const today = dayOf(Date.now());
    this.#journal.transaction(() => {
      for (const key of keys) this.#insert.run(key, today);
      this.#delete.run(today - registeredForDays);
    });
  }
}
