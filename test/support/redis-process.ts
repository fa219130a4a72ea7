import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./free-port.ts";
import { until } from "./until.ts";

/** Whether this machine has a redis-server. */
export const isOnPath = (): boolean => spawnSync("redis-server", ["--version"]).status === 0;

/**
 * Starts an empty, installed redis-server on a free port of the loopback address. Where that is allowed it gets a
 * processor before the tests do: a service gives up a read after 200 ms, and many tests run at once.
 */
export async function startRedisProcess(...more: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), "tidegate-redis-"));
  const port = await freePort();
  const settings = [
    "--port",
    `${port}`,
    "--bind",
    "127.0.0.1",
    "--save",
    "",
    "--appendonly",
    "no",
    "--dir",
    folder,
    ...more,
  ];
  // The shell ends the server when its standard input closes, so that it ends with a killed test run.
  const script = 'nice -n -10 redis-server "$@" > /dev/null & cat; kill -9 $!; wait';
  const server = spawn("sh", ["-c", script, "sh", ...settings], { stdio: ["pipe", "ignore", "ignore"] });
  const stop = async () => {
    server.stdin?.end();
    if (server.exitCode === null && server.signalCode === null) await once(server, "exit");
    rmSync(folder, { recursive: true, force: true });
  };
  await until(() => accepts(port), "redis-server accepts connections");
  return { url: `redis://127.0.0.1:${port}`, port, stop };
}

/** Whether a server listens on a port of the loopback address. */
export function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}
