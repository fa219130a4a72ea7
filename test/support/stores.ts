import type { SourceHost } from "../../src/adapters/source.ts";
import type { Connection } from "../../src/infrastructure/connection.ts";
import { createLog } from "../../src/infrastructure/logger.ts";
import { connectRedis } from "../../src/infrastructure/redis/redis-connection.ts";
import { openSqlite } from "../../src/infrastructure/sqlite/sqlite-connection.ts";
import { type RedisServer, startRedis } from "./redis.ts";

const silent = createLog("silent");

/** A connection to an empty store, and a way to fill it behind its back. */
export type TestStore = AsyncDisposable & {
  readonly connection: Connection;
  readonly put: (key: string, members: readonly string[]) => Promise<void>;
};

export async function redisStore(): Promise<TestStore & { readonly server: RedisServer }> {
  const server = await startRedis();
  const connection = connectRedis("store", server.url, silent);
  await connection.connected();
  return {
    connection,
    server,
    put: async (key, members) => void (await server.client.sadd(key, ...members)),
    [Symbol.asyncDispose]: async () => {
      await connection[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

export function sqliteStore(file = ":memory:"): TestStore {
  const connection = openSqlite("store", file);
  return {
    connection,
    put: async (key, members) => void (await connection.changes.apply({ key, add: members, remove: [] })),
    [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose](),
  };
}

/** What a source is lent, over one store. */
export const hostOn = (connection: Connection | undefined, warnings: unknown[] = []): SourceHost => ({
  name: "tested",
  store: () => {
    if (!connection) throw new Error("this source was to need no store");
    return connection;
  },
  warn: (fields) => warnings.push(fields),
});
