import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Connection } from "../connection.ts";
import { SetupFailed } from "../setup-failed.ts";
import { SqliteChangeFeed } from "./sqlite-change-feed.ts";
import { SqliteClaims } from "./sqlite-claims.ts";
import { SqliteDocumentStore } from "./sqlite-document-store.ts";
import { SqliteFeatureSets } from "./sqlite-feature-sets.ts";
import { SqliteFeatureStore } from "./sqlite-feature-store.ts";
import { SqliteItemStore } from "./sqlite-item-store.ts";
import { SqliteJournal } from "./sqlite-journal.ts";
import { SqliteOutbox } from "./sqlite-outbox.ts";
import { busyMs, prepareSchema } from "./sqlite-schema.ts";
import { SqliteSettings } from "./sqlite-settings.ts";
import { SqliteTokenResolver } from "./sqlite-token-resolver.ts";
import { SqliteTokenStore } from "./sqlite-token-store.ts";

/** Opens a database file, and makes it with its folder where it is missing. Several processes may. */
export function openSqlite(name: string, file: string): Connection {
  const database = open(name, file);
  const journal = new SqliteJournal(database, file);
  return {
    sets: new SqliteFeatureSets(database),
    changes: new SqliteFeatureStore(database, journal),
    documents: new SqliteDocumentStore(database, journal),
    items: new SqliteItemStore(database, journal),
    settings: new SqliteSettings(database),
    claims: new SqliteClaims(journal),
    outbox: () => new SqliteOutbox(database, journal),
    tokenResolver: (keyOf) => new SqliteTokenResolver(database, keyOf),
    tokenStore: (keyOf) => new SqliteTokenStore(database, journal, keyOf),
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
    prepareSchema(database);
    return database;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : cause;
    throw new SetupFailed(
      `connection "${name}" cannot open ${file}: ${reason}; make it writable, or name another file`,
    );
  }
}
