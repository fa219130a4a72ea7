import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RedisContainer } from "@testcontainers/redis";
import { Redis } from "ioredis";
import { inject } from "vitest";
import { until } from "./until.ts";

/** A private, empty Redis server, and a client with patient settings to prepare and inspect it. */
export type RedisServer = AsyncDisposable & { readonly url: string; readonly port: number; readonly client: Redis };

export async function startRedis(): Promise<RedisServer> {
  const server = inject("redisFrom") === "docker" ? await startContainer() : await startProcess();
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

async function startProcess() {
  const folder = mkdtempSync(join(tmpdir(), "tidegate-redis-"));
  const port = await freePort();
  const settings = ["--port", `${port}`, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder];
  // The shell ends the server when its standard input closes, so that none outlives a test run that is killed.
  const script = 'redis-server "$@" > /dev/null & cat; kill -9 $!; wait';
  const server = spawn("sh", ["-c", script, "sh", ...settings], { stdio: ["pipe", "ignore", "ignore"] });
  const stop = async () => {
    server.stdin?.end();
    if (server.exitCode === null && server.signalCode === null) await once(server, "exit");
    rmSync(folder, { recursive: true, force: true });
  };
  await until(() => accepts(port), "redis-server accepts connections");
  return { url: `redis://127.0.0.1:${port}`, port, stop };
}

/** A port that nothing listened on a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}
