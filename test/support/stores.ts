import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { v7 as uuidv7 } from "uuid";
import type { ChangeRecord } from "../../src/domain/admin/change.ts";
import type { SetChange } from "../../src/domain/admin/feature-store.ts";
import type { Connection } from "../../src/infrastructure/connection.ts";
import { createLog } from "../../src/infrastructure/logger.ts";
import { connectRedis } from "../../src/infrastructure/redis/redis-connection.ts";
import { bookkeeping } from "../../src/infrastructure/redis/redis-keys.ts";
import { openSqlite } from "../../src/infrastructure/sqlite/sqlite-connection.ts";
import { type RedisServer, startRedis } from "./redis.ts";

const silent = createLog("silent");

/** A connection to an empty store, and ways to change it externally. */
export type TestStore = AsyncDisposable & {
  readonly connection: Connection;
  readonly put: (key: string, members: readonly string[]) => Promise<void>;
  readonly take: (key: string, members: readonly string[]) => Promise<void>;
  /** Adds a text that is no record to the outbox. */
  readonly spoil: (key: string, text: string) => Promise<void>;
};

/** The subjects of the contracts of FeatureStore and Outbox. */
export const recording = ({ connection, put, take, spoil }: TestStore) => ({
  index: connection.index,
  changes: connection.changes,
  sets: connection.sets,
  outbox: () => connection.outbox(),
  put,
  take,
  spoil,
});

/** Connects to a Redis server. Time limits of commands are long, so that no test depends on the load of the machine. */
export async function connectPatiently(url: string): Promise<Connection> {
  const connection = connectRedis("store", url, silent, { commandTimeoutMs: 20_000 });
  await connection.connected();
  return connection;
}

/** Connects to a shared server, which it empties, or to a server of its own. */
export async function redisStore(shared?: RedisServer): Promise<TestStore & { readonly server: RedisServer }> {
  await shared?.client.flushall();
  const server = shared ?? (await startRedis());
  const connection = await connectPatiently(server.url);
  return {
    connection,
    server,
    put: async (key, members) => void (await server.client.sadd(key, ...members)),
    take: async (key, members) => void (await server.client.srem(key, ...members)),
    spoil: async (key, text) => void (await server.client.rpush(bookkeeping(key).outbox, text)),
    [Symbol.asyncDispose]: async () => {
      await connection[Symbol.asyncDispose]();
      if (!shared) await server[Symbol.asyncDispose]();
    },
  };
}

export function sqliteStore(file?: string): TestStore {
  const folder = mkdtempSync(join(tmpdir(), "tidegate-store-"));
  const path = file ?? join(folder, "tidegate.db");
  const connection = openSqlite("store", path);
  return {
    connection,
    put: async (key, members) => {
      using other = new DatabaseSync(path, { timeout: 5_000 });
      const insert = other.prepare("INSERT OR IGNORE INTO members (key, feature) VALUES (?, ?)");
      other.exec("BEGIN IMMEDIATE");
      for (const member of members) insert.run(key, member);
      other.exec("COMMIT");
    },
    take: async (key, members) => {
      using other = new DatabaseSync(path, { timeout: 5_000 });
      for (const member of members) other.prepare("DELETE FROM members WHERE key = ? AND feature = ?").run(key, member);
    },
    spoil: async (_, text) => {
      using other = new DatabaseSync(path, { timeout: 5_000 });
      other.prepare("INSERT INTO outbox (record) VALUES (?)").run(text);
    },
    [Symbol.asyncDispose]: async () => {
      await connection[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true });
    },
  };
}

/** The metadata of a change. */
export const aChange = () => ({ id: uuidv7(), by: "tester" });

/** A change of a set that is not personal. */
export const changeOf = (
  key: string,
  { add = [], remove = [] }: Partial<Pick<SetChange, "add" | "remove">>,
): SetChange => ({
  ...aChange(),
  key,
  personal: false,
  add,
  remove,
});

/** All entries in the outbox of a store. */
export async function recordsIn(connection: Connection): Promise<readonly ChangeRecord[]> {
  await using outbox = connection.outbox();
  return (await outbox.read(100_000)).flatMap(({ records = [] }) => records);
}
