import type { IdempotencyKeys } from "../../../domain/admin/idempotency-keys.ts";
import type { SqliteJournal } from "../sqlite-journal.ts";

/** Idempotency keys in a SQLite database. */
export function sqliteIdempotencyKeys(journal: SqliteJournal): IdempotencyKeys {
  return {
    claim: async (name, purpose) => journal.change("claim", name, () => purpose) === purpose,
    purposeOf: async (name) => journal.resultOf<string>("claim", name),
  };
}
