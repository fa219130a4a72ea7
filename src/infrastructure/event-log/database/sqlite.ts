import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { setImmediate } from "node:timers/promises";
import type { Sql } from "sql-template-tag";
import { openPrivately } from "../../sqlite/private-file.ts";
import { checkSchemaVersion, schemaVersionIn } from "../../sqlite/schema-version.ts";
import type { MarkOptions } from "../../sqlite/watched-file.ts";
import { whileFree } from "../../sqlite/while-free.ts";
import type { Database } from "./database.ts";
import { eventLogSchemaVersion } from "./schema-version.ts";

const busyMs = 5_000;

/**
 * The mark of the event log: its creation time, which identifies it, and its last position. Changes by SQL are left to
 * `verify`.
 */
export const logMark: MarkOptions = {
  select: `
    SELECT timestamp AS identity, coalesce((SELECT position FROM chain), 0) AS revision
    FROM activity_migrations WHERE name = '0001_log'
  `,
  mayRollBack: true,
};

/**
 * Opens a SQLite file, created with its folder if missing. Safe for concurrent processes. Statements block the thread.
 */
export function openSqlite(file: string): Database {
  const database = openPrivately(file, () => new DatabaseSync(file, { timeout: busyMs }));
  try {
    whileFree(busyMs, () => {
      checkSchemaVersion(file, schemaVersionIn(database), eventLogSchemaVersion);
      database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -16000");
    });
  } catch (error) {
    database.close();
    throw error;
  }
  return sqliteDatabase(database);
}

function sqliteDatabase(database: DatabaseSync): Database {
  /** The last statement or transaction: there is one connection. */
  let last: Promise<unknown> = Promise.resolve();

  function rows<Row>({ sql, values }: Sql): readonly Row[] {
    return database.prepare(sql).all(...values.map(sqliteValue)) as Row[];
  }

  /** Statements block the thread, so pending messages are handled before each statement or transaction. */
  function inTurn<T>(task: () => Promise<T>): Promise<T> {
    const result = last.then(() => setImmediate()).then(task);
    last = result.catch(() => {});
    return result;
  }

  return {
    query: (statement) => inTurn(async () => rows(statement)),
    transaction: (task) =>
      inTurn(async () => {
        // Exclusive from the start, also between processes: one that reads first could fail to upgrade its lock.
        database.exec("BEGIN IMMEDIATE");
        try {
          const result = await task({ query: async (statement) => rows(statement), isTransaction: true });
          database.exec("COMMIT");
          return result;
        } catch (error) {
          // A full disk ends a transaction by itself.
          if (database.isTransaction) database.exec("ROLLBACK");
          throw error;
        }
      }),
    close: () => inTurn(async () => database.close()),
  };
}

/** Converts booleans and dates, which SQLite does not have. */
function sqliteValue(value: unknown): SQLInputValue {
  if (typeof value === "boolean") return value ? 1 : 0;
  return value instanceof Date ? value.getTime() : (value as SQLInputValue);
}
