import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Connection } from "../connection.ts";
import { SetupFailed } from "../setup-failed.ts";
import { SqliteChangeFeed } from "./sqlite-change-feed.ts";
import { SqliteFeatureSets } from "./sqlite-feature-sets.ts";
import { SqliteFeatureStore } from "./sqlite-feature-store.ts";
import { SqliteTokenResolver } from "./sqlite-token-resolver.ts";
import { SqliteTokenStore } from "./sqlite-token-store.ts";

const schema = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  CREATE TABLE IF NOT EXISTS members (key TEXT, feature TEXT, PRIMARY KEY (key, feature)) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS tokens (key TEXT PRIMARY KEY, user_id TEXT NOT NULL) STRICT, WITHOUT ROWID;
`;

const busyMs = 2_000;

/** Opens a database file, and makes it with its folder where it is missing. Several processes may. */
export function openSqlite(name: string, file: string): Connection {
  const database = open(name, file);
  return {
    sets: new SqliteFeatureSets(database),
    changes: new SqliteFeatureStore(database),
    tokenResolver: (keyOf) => new SqliteTokenResolver(database, keyOf),
    tokenStore: (keyOf) => new SqliteTokenStore(database, keyOf),
    feed: () => new SqliteChangeFeed(file),
    connected: async () => {},
    check: async () =>
      void database.prepare("SELECT (SELECT key FROM members LIMIT 1), (SELECT key FROM tokens LIMIT 1)").get(),
    isEmpty: async () =>
      database.prepare("SELECT 1 FROM members UNION ALL SELECT 1 FROM tokens LIMIT 1").get() === undefined,
    accept: async () => {},
    // The few processes on one file may well do the same twice.
    lease: () => ({ hold: async () => true, release: async () => {} }),
    [Symbol.asyncDispose]: async () => database.close(),
  };
}

function open(name: string, file: string): DatabaseSync {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    const database = new DatabaseSync(file, { timeout: busyMs });
    prepare(database);
    return database;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : cause;
    throw new SetupFailed(
      `connection "${name}" cannot open ${file}: ${reason}; make it writable, or name another file`,
    );
  }
}

/** Switching a new file to WAL fails at once while another process does the same, whatever the busy timeout. */
function prepare(database: DatabaseSync): void {
  const deadline = performance.now() + busyMs;
  while (true) {
    try {
      database.exec(schema);
      return;
    } catch (error) {
      if (!/locked/.test(String(error)) || performance.now() > deadline) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    }
  }
}
