import { RedisContainer } from "@testcontainers/redis";
import { Redis } from "ioredis";
import { inject } from "vitest";
import { markerKey } from "../../src/infrastructure/redis/empty-store-guard.ts";
import { startRedisProcess } from "./redis-process.ts";

/** A private, empty Redis server, and a client with patient settings to prepare and inspect it. */
export type RedisServer = AsyncDisposable & { readonly url: string; readonly port: number; readonly client: Redis };

/** Empties the client's database on purpose: Tidegate's own keys stay. */
export const emptied = (client: Redis) => client.multi().flushdb().set(markerKey, "1").exec();

export async function startRedis(): Promise<RedisServer> {
  const server = inject("redisFrom") === "docker" ? await startContainer() : await startRedisProcess();
  const client = new Redis(server.url);
  client.on("error", () => {});
  return {
    ...server,
    client,
    [Symbol.asyncDispose]: async () => {
      client.disconnect();
      await server.stop();
    },
  };
}

async function startContainer() {
  const container = await new RedisContainer("redis:7.4-alpine").start();
  const port = container.getMappedPort(6379);
  return { url: container.getConnectionUrl(), port, stop: async () => void (await container.stop()) };
}
