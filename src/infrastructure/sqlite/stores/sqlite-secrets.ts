import { randomBytes } from "node:crypto";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { type Secrets, secretBytes } from "../../../domain/streams/secrets.ts";
import type { SqliteJournal } from "../sqlite-journal.ts";

/** Secrets in a SQLite table. */
export class SqliteSecrets implements Secrets {
  readonly #journal: SqliteJournal;
  readonly #select: StatementSync;
  readonly #insert: StatementSync;
  readonly #replace: StatementSync;

  constructor(database: DatabaseSync, journal: SqliteJournal) {
    this.#journal = journal;
    this.#select = database.prepare("SELECT secret FROM secrets WHERE name = ?");
    this.#insert = database.prepare("INSERT OR IGNORE INTO secrets (name, secret) VALUES (?, ?)");
    this.#replace = database.prepare("INSERT OR REPLACE INTO secrets (name, secret) VALUES (?, ?)");
  }

  async read(name: string, initial: Uint8Array = randomBytes(secretBytes)): Promise<Uint8Array> {
    const stored = () => this.#select.get(name)?.["secret"] as Uint8Array | undefined;
    const known = stored();
    if (known) return known;
    this.#journal.transaction(() => this.#insert.run(name, initial));
    return stored() as Uint8Array;
  }

  async replace(name: string, secret: Uint8Array): Promise<void> {
    this.#journal.transaction(() => this.#replace.run(name, secret));
  }
}
