import type { DatabaseSync, StatementSync } from "node:sqlite";
import { maxMembers, type StoredValue, type StoredValues, tooMany } from "../../domain/admin/stored-values.ts";
import { type CachedRead, uncachedRead } from "../../domain/evaluation/cached-read.ts";
import { inOrder } from "../../domain/evaluation/feature.ts";

/** Reads the sets of a SQLite database. Its only strings are the users of tokens, which this never reads. */
export class SqliteValues implements StoredValues {
  readonly #select: StatementSync;

  constructor(database: DatabaseSync) {
    this.#select = database.prepare("SELECT feature FROM members WHERE key = ? LIMIT ?");
  }

  async read(key: string): Promise<CachedRead<StoredValue | undefined>> {
    const at = Date.now();
    return uncachedRead(storedSet(this.#select.all(key, maxMembers + 1).map((row) => String(row["feature"]))), at);
  }
}

function storedSet(members: readonly string[]): StoredValue | undefined {
  if (members.length === 0) return undefined;
  return members.length > maxMembers ? tooMany() : { type: "set", value: inOrder(members) };
}
