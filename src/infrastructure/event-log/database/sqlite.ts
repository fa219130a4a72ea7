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
import type { MarkOptions } from "../../sqlite/watched-file.ts";
import type { Tables } from "./tables.ts";

const busyMs = 5_000;

/** When the log was made, which tells it from others, and its last position. What SQL does to it, `verify` finds. */
export const logMark: MarkOptions = {
  select: `
    SELECT timestamp AS identity, coalesce((SELECT position FROM chain), 0) AS revision
    FROM activity_migrations WHERE name = '0001_log'
  `,
  mayGoBack: true,
};

/** A SQLite file, made with its folder where it is missing. Several processes may. Its statements keep the thread busy. */
export function openSqlite(file: string): Kysely<Tables> {
  const database = openPrivately(file, () => new DatabaseSync(file, { timeout: busyMs }));
  prepare(database);
  return new Kysely({
    dialect: {
      createAdapter: () => new Adapter(),
      createDriver: () => new Driver(database),
      createIntrospector: (kysely) => new SqliteIntrospector(kysely),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
  });
}

/** Switching a new file to WAL fails at once while another process does the same, whatever the busy timeout. */
function prepare(database: DatabaseSync): void {
  const deadline = performance.now() + busyMs;
  while (true) {
    try {
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

/** Migrations are made in one transaction. That is alone, so no other lock is needed. */
class Adapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

/** A transaction is alone from its beginning on, among processes too: one that read first might not be allowed to write. */
class Driver extends SqliteDriver {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    super({ database: lent(database) });
    this.#database = database;
  }

  /** Statements leave the thread no moment for other calls; so it takes those that wait before each, or before each transaction. */
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

/** What Kysely expects of a database. */
function lent(database: DatabaseSync): SqliteDatabase {
  return {
    close: () => database.close(),
    prepare: (sql) => {
      const statement = database.prepare(sql);
      return {
        reader: statement.columns().length > 0,
        all: (values) => statement.all(...values.map(kept)),
        run: (values) => statement.run(...values.map(kept)),
        iterate: (values) => statement.iterate(...values.map(kept)),
      };
    },
  };
}

/** SQLite knows neither truth values nor times. */
function kept(value: unknown): SQLInputValue {
  if (typeof value === "boolean") return value ? 1 : 0;
  return value instanceof Date ? value.getTime() : (value as SQLInputValue);
}
