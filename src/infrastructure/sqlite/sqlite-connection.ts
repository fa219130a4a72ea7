import { DatabaseSync } from "node:sqlite";
import { errorMessage } from "../../domain/error-message.ts";
import type { Connection } from "../connection.ts";
import type { Log } from "../logger.ts";
import { SetupFailed } from "../setup-failed.ts";
import { DiskReserve, isDiskFull } from "./disk-reserve.ts";
import { openPrivately } from "./private-file.ts";
import { sqliteInvalidationFeed } from "./sqlite-invalidation-feed.ts";
import { sqliteJournal } from "./sqlite-journal.ts";
import { busyMs, prepareSchema, storeMark } from "./sqlite-schema.ts";
import { sqliteValues } from "./sqlite-values.ts";
import { sqliteDocumentStore } from "./stores/sqlite-document-store.ts";
import { sqliteFeatureRegister } from "./stores/sqlite-feature-register.ts";
import { sqliteFeatureSets } from "./stores/sqlite-feature-sets.ts";
import { sqliteFeatureStore } from "./stores/sqlite-feature-store.ts";
import { sqliteIdempotencyKeys } from "./stores/sqlite-idempotency-keys.ts";
import { sqliteItemStore } from "./stores/sqlite-item-store.ts";
import { sqliteOutbox } from "./stores/sqlite-outbox.ts";
import { sqliteRules } from "./stores/sqlite-rules.ts";
import { sqliteSecrets } from "./stores/sqlite-secrets.ts";
import { sqliteTokenResolver } from "./stores/sqlite-token-resolver.ts";
import { sqliteTokenStore } from "./stores/sqlite-token-store.ts";
import { WatchedFile } from "./watched-file.ts";

/**
 * Opens a SQLite store, created with its folder if missing. Safe for concurrent processes. While the file is lost
 * ({@link ./watched-file.ts}) all reads and changes reject, and the log has an error.
 */
export function openSqlite(name: string, file: string, log?: Log): Connection {
  const { database, watch, reserve } = open(name, file, log);
  const journal = sqliteJournal(database, file, (attempt) => {
    if (attempt === 0) log?.error({ connection: name, file }, "disk full; a kill or removal uses the reserve");
    const isReleased = attempt > 0 && (reserve?.release() ?? false);
    checkpoint(database, file);
    return attempt === 0 || isReleased;
  });
  const accepted = database.prepare("SELECT accepted FROM store");
  const isAccepted = () => accepted.get()?.["accepted"] === 1;
  const isEmpty = () =>
    database.prepare("SELECT 1 FROM members UNION ALL SELECT 1 FROM tokens LIMIT 1").get() === undefined;
  let isRejected = false;
  const throwIfUnusable = () => {
    watch?.throwIfLost();
    isRejected &&= !isAccepted();
    if (isRejected) throw new SetupFailed(emptyFault(name, file));
  };
  const read = <Port extends object>(port: Port) => checked(port, throwIfUnusable);
  const changed = <Port extends object>(port: Port) =>
    checked(port, () => {
      watch?.check();
      throwIfUnusable();
    });
  const changes = changed(sqliteFeatureStore(database, journal));
  return {
    sets: read(sqliteFeatureSets(database)),
    values: read(sqliteValues(database)),
    index: changes,
    changes,
    documents: changed(sqliteDocumentStore(database, journal)),
    items: changed(sqliteItemStore(database, journal)),
    rules: read(sqliteRules(database)),
    register: read(sqliteFeatureRegister(database, journal)),
    secrets: read(sqliteSecrets(database, journal)),
    idempotencyKeys: changed(sqliteIdempotencyKeys(journal)),
    outbox: () => changed(sqliteOutbox(database, journal)),
    tokenResolver: (keyOf) => read(sqliteTokenResolver(database, keyOf)),
    tokenStore: (keyOf) => changed(sqliteTokenStore(database, journal, keyOf)),
    invalidations: () => sqliteInvalidationFeed(file, () => watch?.isLost ?? false),
    connected: async () => throwIfUnusable(),
    onConnect: () => {},
    check: async () => {
      throwIfUnusable();
      database.prepare("SELECT (SELECT key FROM members LIMIT 1), (SELECT key FROM tokens LIMIT 1)").get();
    },
    identity: async () => String(database.prepare("SELECT identity FROM store").get()?.["identity"]),
    probe: async () => {
      watch?.check();
      throwIfUnusable();
      journal.transaction(() => {});
    },
    isEmpty: async () => isEmpty(),
    accept: async () => database.exec("UPDATE store SET accepted = 1"),
    emptyStart: {
      isUnexpected: () => isEmpty() && !isAccepted(),
      reject: () => {
        isRejected = true;
      },
    },
    // No exclusion: the few processes of one file may do the same work twice.
    lease: () => ({ hold: async () => true, release: async () => {} }),
    [Symbol.asyncDispose]: async () => {
      await reserve?.[Symbol.asyncDispose]();
      const close = () => database.close();
      await (watch ? watch.close(close) : close());
    },
  };
}

const emptyFault = (connection: string, file: string): string =>
  `connection "${connection}": the store is empty, but the event log has changes of an earlier one; restore ${file}, or run npx tidegate stores accept`;

/** The name of an in-memory database. */
const inMemory = ":memory:";

/** Wraps a port so that each call first runs a check, and fails if the check does. */
function checked<Port extends object>(port: Port, check: () => void): Port {
  return new Proxy(port, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== "function") return member;
      // No bound function: Node 24 does not accept one as a way to dispose.
      if (typeof name === "symbol") return (...input: unknown[]) => member.apply(target, input);
      const call = (...input: unknown[]) => {
        check();
        return member.apply(target, input);
      };
      return member instanceof AsyncFunction ? async (...input: unknown[]) => call(...input) : call;
    },
  });
}

const AsyncFunction = (async () => {}).constructor as FunctionConstructor;

/**
 * Moves the write-ahead log into the file, so that the next change overwrites the log instead of extending it. Without
 * effect while the file cannot grow.
 */
function checkpoint(database: DatabaseSync, file: string): void {
  try {
    database.exec("PRAGMA wal_checkpoint");
  } catch (error) {
    if (!isDiskFull(error, file)) throw error;
  }
}

type Opened = {
  readonly database: DatabaseSync;
  readonly watch: WatchedFile | undefined;
  readonly reserve: DiskReserve | undefined;
};

/** Opens the files of a store, on a full disk with its reserve. */
function open(name: string, file: string, log: Log | undefined): Opened {
  const reserve = file === inMemory ? undefined : new DiskReserve(`${file}-reserve`);
  while (true) {
    try {
      return { ...openFiles(name, file, log), reserve };
    } catch (cause) {
      const isFull = isDiskFull(cause, file);
      if (isFull && reserve?.release()) continue;
      void reserve?.[Symbol.asyncDispose]();
      if (cause instanceof SetupFailed) throw cause;
      if (isFull) {
        throw new SetupFailed(`connection "${name}": the disk that holds ${file} is full; make room on it`);
      }
      const reason = errorMessage(cause);
      throw new SetupFailed(
        `connection "${name}" cannot open ${file}: ${reason}; make it writable, or name another file`,
      );
    }
  }
}

function openFiles(name: string, file: string, log: Log | undefined): Pick<Opened, "database" | "watch"> {
  const database = openPrivately(file, () => new DatabaseSync(file, { timeout: busyMs }));
  const report = (fault: string | undefined) => {
    if (fault === undefined) log?.info({ connection: name }, "database file is back");
    else log?.error({ connection: name, cause: fault }, "database file lost; changes are rejected");
  };
  try {
    prepareSchema(database, file);
    return { database, watch: file === inMemory ? undefined : new WatchedFile(file, storeMark, report) };
  } catch (error) {
    database.close();
    throw error;
  }
}
