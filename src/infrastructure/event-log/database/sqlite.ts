import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { setImmediate } from "node:timers/promises";
import {
  CompiledQuery,
  type DatabaseConnection,
  Kysely,
  SqliteAdapter,
  type SqliteDatabase,
  SqliteDriver,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from "kysely";
import { openPrivately } from "../../sqlite/private-file.ts";
import { checkSchemaVersion, schemaVersionIn } from "../../sqlite/schema-version.ts";
import type { MarkOptions } from "../../sqlite/watched-file.ts";
import { eventLogSchemaVersion } from "./schema-version.ts";
import type { Tables } from "./tables.ts";

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
export function openSqlite(file: string): Kysely<Tables> {
  const database = openPrivately(file, () => new DatabaseSync(file, { timeout: busyMs }));
  prepare(database, file);
  return new Kysely({
    dialect: {
      createAdapter: () => new Adapter(),
      createDriver: () => new Driver(database),
      createIntrospector: (kysely) => new SqliteIntrospector(kysely),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
  });
}

/** Enabling WAL on a new file fails at once while another process does the same, despite the busy timeout. */
function prepare(database: DatabaseSync, file: string): void {
  const deadline = performance.now() + busyMs;
  while (true) {
    try {
      checkSchemaVersion(file, schemaVersionIn(database), eventLogSchemaVersion);
      database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -16000");
      return;
    } catch (error) {
      if (!/locked/.test(String(error)) || performance.now() > deadline) {
        database.close();
        throw error;
      }
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    }
  }
}

/** The migrations run in one transaction. It is exclusive, so no other lock is needed. */
class Adapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

/**
 * Starts each transaction as exclusive, also between processes: one that reads first could fail to upgrade its lock.
 */
class Driver extends SqliteDriver {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    super({ database: withoutRelease(database) });
    this.#database = database;
  }

  /** Statements block the thread, so pending messages are handled before each statement or transaction. */
  override async acquireConnection(): Promise<DatabaseConnection> {
    await setImmediate();
    return super.acquireConnection();
  }

  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw("begin immediate"));
  }

  /** A full disk ends a transaction by itself. */
  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    if (this.#database.isTransaction) await super.rollbackTransaction(connection);
  }
}

/** Adapts the database to Kysely's interface. */
function withoutRelease(database: DatabaseSync): SqliteDatabase {
  return {
    close: () => database.close(),
    prepare: (sql) => {
      const statement = database.prepare(sql);
      return {
        reader: statement.columns().length > 0,
        all: (values) => statement.all(...values.map(sqliteValue)),
        run: (values) => statement.run(...values.map(sqliteValue)),
        iterate: (values) => statement.iterate(...values.map(sqliteValue)),
      };
    },
  };
}

/** Converts booleans and dates, which SQLite does not have. */
function sqliteValue(value: unknown): SQLInputValue {
  if (typeof value === "boolean") return value ? 1 : 0;
  return value instanceof Date ? value.getTime() : (value as SQLInputValue);
}
