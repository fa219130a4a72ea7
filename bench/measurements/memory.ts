import { resolve } from "node:path";
import { setTimeout } from "node:timers/promises";
import { freePort } from "../../test/support/free-port.ts";
import { Client } from "../client.ts";
import { startFilledRedis, startTidegate } from "../contestants/tidegate.ts";

type Usage = { readonly used: number; readonly resident: number };

/**
 * Bytes of a process without requests, and of the same after one request per user. `used` is heapUsed + external, after
 * a collection; `resident` is read when V8 has returned the freed pages.
 */
export type Memory = { readonly users: number; readonly fresh: Usage; readonly full: Usage };

/** V8 keeps the pages that a collection frees, and returns them at later ones. */
const collections = 6;
const betweenMs = 4_000;

export async function memory(): Promise<Memory> {
  const users = Number(process.env["MEMORY_USERS"] ?? 100_000);
  await using opened = new AsyncDisposableStack();
  const redis = await startFilledRedis(opened, users);
  const probePort = `${await freePort()}`;
  const { url } = await startTidegate(opened, redis, {
    nodeOptions: ["--expose-gc", "--import", resolve(import.meta.dirname, "memory-probe.ts")],
    // The shared sets are cached in addition to the users' sets.
    env: { PROBE_PORT: probePort, CACHE_CAPACITY: `${users + 100}` },
  });
  using client = new Client();
  const usage = async (): Promise<Usage> => {
    const { body } = await client.ask(`http://127.0.0.1:${probePort}`);
    const { heapUsed, external, rss } = JSON.parse(body) as NodeJS.MemoryUsage;
    return { used: heapUsed + external, resident: rss };
  };
  const fresh = await usage();
  await client.askForEach(url, users);
  for (let collection = 0; collection < collections; collection++) {
    await usage();
    await setTimeout(betweenMs);
  }
  return { users, fresh, full: await usage() };
}
