import type { Server } from "node:http";
import { duplexPair } from "node:stream";
import { finished } from "node:stream/promises";

const calls = 300;
const maxMs = 150;
const call = (path: string, more = "") => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${more}\r\n`;

/**
 * Sends a server 300 requests before it listens, so that V8 has compiled the code for client calls. They use
 * an in-memory connection. Stops after 150 ms, for example if a store is unreachable.
 */
export async function warmUp(server: Server, basePath = ""): Promise<void> {
  const path = `${basePath}/features`;
  const [near, far] = duplexPair();
  server.emit("connection", far);
  near.resume().end(`${call(path).repeat(calls - 1)}${call(path, "Connection: close\r\n")}`);
  await finished(near, { signal: AbortSignal.timeout(maxMs) }).catch(() => {});
  near.destroy();
  far.destroy();
}
