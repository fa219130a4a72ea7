import type { IdempotencyKeys } from "../../../domain/admin/idempotency-keys.ts";
import type { SqliteJournal } from "../sqlite-journal.ts";

/** Idempotency keys in a SQLite database. */
export class SqliteIdempotencyKeys implements IdempotencyKeys {
  readonly #journal: SqliteJournal;

  constructor(journal: SqliteJournal) {
    this.#journal = journal;
  }

  async claim(name: string, purpose: string): Promise<boolean> {
    return this.#journal.change("claim", name, () => purpose) === purpose;
  }

  async purposeOf(name: string): Promise<string | undefined> {
    return this.#journal.resultOf<string>("claim", name);
  }
}
