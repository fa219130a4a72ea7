import { once } from "node:events";
import { createServer } from "node:net";

/** Below the ephemeral ports: no client takes one before a server listens on it. */
const [first, last] = [10_000, 32_767];

let next = first + Math.floor(Math.random() * (last - first));

/** An unused port of the loopback address. Test workers count from different numbers. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = next;
    next = next < last ? next + 1 : first;
    if (await isFree(port)) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch {
    return false;
  }
  server.close();
  await once(server, "close");
  return true;
}
