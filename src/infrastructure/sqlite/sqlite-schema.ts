import { randomUUID } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { checkSchemaVersion, schemaVersionIn } from "./schema-version.ts";
import type { MarkOptions } from "./watched-file.ts";
import { whileFree } from "./while-free.ts";

/** Wait of a statement for another writing process, in milliseconds. */
export const busyMs = 2_000;
/**
 * Wait of opening for a process that creates the tables, in milliseconds. An index over millions of rows takes seconds.
 */
const maxMs = 10_000;

const mode = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
`;

const tables = `
  CREATE TABLE IF NOT EXISTS members (key TEXT, feature TEXT, PRIMARY KEY (key, feature)) STRICT, WITHOUT ROWID;
  CREATE INDEX members_by_feature ON members (feature, key);
  CREATE TABLE heads (
    key TEXT PRIMARY KEY, epoch TEXT NOT NULL, number INTEGER NOT NULL, at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE IF NOT EXISTS tokens (key TEXT PRIMARY KEY, user_id TEXT NOT NULL) STRICT, WITHOUT ROWID;
  ALTER TABLE tokens ADD COLUMN id TEXT;
  ALTER TABLE tokens ADD COLUMN issued_at INTEGER;
  ALTER TABLE tokens ADD COLUMN issued_by TEXT;
  CREATE INDEX tokens_by_user ON tokens (user_id);
  CREATE INDEX tokens_by_id ON tokens (id) WHERE id IS NOT NULL;

  CREATE TABLE documents (
    collection TEXT, name TEXT, value TEXT, epoch TEXT NOT NULL, number INTEGER NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (collection, name)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE once (
    thing TEXT, name TEXT, answer TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (thing, name)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX once_by_time ON once (at);
  CREATE TABLE loads (name TEXT PRIMARY KEY, position INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE outbox (position INTEGER PRIMARY KEY AUTOINCREMENT, record TEXT NOT NULL) STRICT;
`;

/** Newer than the other tables, so a file may have only those. */
const itemTables = `
  CREATE TABLE providers (
    name TEXT PRIMARY KEY, epoch TEXT NOT NULL, number INTEGER NOT NULL, state TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE items (
    provider TEXT, id TEXT, number INTEGER NOT NULL, value TEXT NOT NULL, PRIMARY KEY (provider, id)
  ) STRICT;
  CREATE INDEX items_by_number ON items (provider, number);
`;

const registerTable = `
  CREATE TABLE register (feature TEXT PRIMARY KEY, day INTEGER NOT NULL) STRICT, WITHOUT ROWID;
`;

const secretTable = `
  CREATE TABLE secrets (name TEXT PRIMARY KEY, secret BLOB NOT NULL) STRICT, WITHOUT ROWID;
`;

/** One row: the identity of the store, and whether it may be empty. A copy of the file has the same. */
const storeTable = `
  CREATE TABLE store (identity TEXT NOT NULL, accepted INTEGER NOT NULL DEFAULT 0) STRICT;
`;

/** The mark of a store: its identity, and the number of records that its outbox was given so far. */
export const storeMark: MarkOptions = {
  select: `
    SELECT identity, coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'outbox'), 0) AS revision FROM store
  `,
  mayRollBack: false,
};

/** Version of the tables, in `PRAGMA user_version`. Increase it with each change that an earlier version cannot use. */
export const storeSchemaVersion = 1;

/**
 * Creates the missing tables, all or none, also in files of earlier versions, which contain only sets and token users.
 * Safe for concurrent processes. Throws `SetupFailed`, before any change, if the file is of a newer version.
 */
export function prepareSchema(database: DatabaseSync, file: string): void {
  const version = schemaVersionIn(database);
  checkSchemaVersion(file, version, storeSchemaVersion);
  whileFree(maxMs, () => database.exec(mode));
  if (version === storeSchemaVersion && isPrepared(database)) return;
  whileFree(maxMs, () => database.exec("BEGIN IMMEDIATE"));
  try {
    if (!hasTable(database, "outbox")) database.exec(tables);
    if (!hasTable(database, "items")) database.exec(itemTables);
    if (!hasTable(database, "register")) database.exec(registerTable);
    if (!hasTable(database, "secrets")) database.exec(secretTable);
    if (!hasTable(database, "store")) {
      database.exec(storeTable);
      database.prepare("INSERT INTO store (identity) VALUES (?)").run(randomUUID());
    }
    database.exec(`PRAGMA user_version = ${storeSchemaVersion}`);
    database.exec("COMMIT");
    // The main file contains its identity from the beginning.
    database.exec("PRAGMA wal_checkpoint");
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

const isPrepared = (database: DatabaseSync): boolean =>
  ["outbox", "items", "register", "secrets", "store"].every((name) => hasTable(database, name));

const hasTable = (database: DatabaseSync, name: string): boolean =>
  database.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?").get(name) !== undefined;
