import type { Server } from "node:http";
import { duplexPair } from "node:stream";
import { finished } from "node:stream/promises";

const calls = 300;
const longestMs = 150;
const call = (path: string, more = "") => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${more}\r\n`;

/**
 * Has a server answer some hundred calls before it listens, so that V8 has compiled what answers them. They come over a
 * connection in memory; where they take longer than 150 ms, as with a store that is away, the rest is left out.
 */
export async function warmUp(server: Server, basePath = ""): Promise<void> {
  const path = `${basePath}/features`;
  const [near, far] = duplexPair();
  server.emit("connection", far);
  near.resume().end(`${call(path).repeat(calls - 1)}${call(path, "Connection: close\r\n")}`);
  await finished(near, { signal: AbortSignal.timeout(longestMs) }).catch(() => {});
  near.destroy();
  far.destroy();
}
