import type { DatabaseSync, StatementSync } from "node:sqlite";
import { inOrder } from "../../domain/feature.ts";
import { type Held, readAt } from "../../domain/held.ts";
import { mostMembers, type StoredValue, type StoredValues, tooMany } from "../../domain/stored-values.ts";

/** Reads the sets of a SQLite database. Its only strings are the users of tokens, which are never read here. */
export class SqliteValues implements StoredValues {
  readonly #select: StatementSync;

  constructor(database: DatabaseSync) {
    this.#select = database.prepare("SELECT feature FROM members WHERE key = ? LIMIT ?");
  }

  async read(key: string): Promise<Held<StoredValue | undefined>> {
    const at = Date.now();
    return readAt(storedSet(this.#select.all(key, mostMembers + 1).map((row) => String(row["feature"]))), at);
  }
}

function storedSet(members: readonly string[]): StoredValue | undefined {
  if (members.length === 0) return undefined;
  return members.length > mostMembers ? tooMany() : { type: "set", value: inOrder(members) };
}
