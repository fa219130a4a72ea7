import { randomBytes } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { type Secrets, secretBytes } from "../../../domain/admin/secrets.ts";
import type { SqliteJournal } from "../sqlite-journal.ts";

/** Secrets in a SQLite table. */
export function sqliteSecrets(database: DatabaseSync, journal: SqliteJournal): Secrets {
  const select = database.prepare("SELECT secret FROM secrets WHERE name = ?");
  const insert = database.prepare("INSERT OR IGNORE INTO secrets (name, secret) VALUES (?, ?)");
  const upsert = database.prepare("INSERT OR REPLACE INTO secrets (name, secret) VALUES (?, ?)");

  return {
    async read(name, initial = randomBytes(secretBytes)) {
      const stored = () => select.get(name)?.["secret"] as Uint8Array | undefined;
      const known = stored();
      if (known) return known;
      journal.transaction(() => insert.run(name, initial));
      return stored() as Uint8Array;
    },
    async replace(name, secret) {
      journal.transaction(() => upsert.run(name, secret));
    },
  };
}
