import type { DatabaseSync } from "node:sqlite";
import { maxMembers, type StoredValue, type StoredValues, tooMany } from "../../domain/admin/stored-values.ts";
import { uncachedRead } from "../../domain/evaluation/cached-read.ts";
import { inOrder } from "../../domain/evaluation/feature.ts";

/** Reads the sets of a SQLite database. Its only strings are the users of tokens, which this never reads. */
export function sqliteValues(database: DatabaseSync): StoredValues {
  const select = database.prepare("SELECT feature FROM members WHERE key = ? LIMIT ?");

  return {
    async read(key) {
      const at = Date.now();
      return uncachedRead(storedSet(select.all(key, maxMembers + 1).map((row) => String(row["feature"]))), at);
    },
  };
}

function storedSet(members: readonly string[]): StoredValue | undefined {
  if (members.length === 0) return undefined;
  return members.length > maxMembers ? tooMany() : { type: "set", value: inOrder(members) };
}
