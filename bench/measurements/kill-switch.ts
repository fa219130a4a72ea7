import { Redis } from "ioredis";
import { startRedisProcess } from "../../test/support/redis-process.ts";
import { bearer, Client } from "../client.ts";
import { startTidegate } from "../contestants/tidegate.ts";
import type { Server } from "../process.ts";

/**
 * Milliseconds from Redis' reply to a raw SREM until every process responds without the feature, one figure per trial.
 */
export type KillSwitch = { readonly processes: number; readonly millis: readonly number[] };

const processes = 4;
const trials = Number(process.env["TRIALS"] ?? 5_000);

export async function killSwitch(): Promise<KillSwitch> {
  await using opened = new AsyncDisposableStack();
  const { url, stop } = await startRedisProcess();
  opened.defer(stop);
  const redis = new Redis(url);
  opened.defer(() => redis.disconnect());
  await redis.set("token:killer", "1");
  await redis.sadd("features:user:1", "victim");
  const servers: Server[] = [];
  while (servers.length < processes) servers.push(await startTidegate(opened, url));
  using client = new Client();
  const everywhere = (wanted: boolean) =>
    Promise.all(
      servers.map(async (server) => {
        while ((await client.ask(server.url, bearer("killer"))).body.includes("victim") !== wanted);
      }),
    );
  const millis: number[] = [];
  for (let trial = 0; trial < trials; trial++) {
    await redis.sadd("active_features", "victim");
    await everywhere(true);
    await redis.srem("active_features", "victim");
    const killed = performance.now();
    await everywhere(false);
    millis.push(performance.now() - killed);
  }
  return { processes, millis };
}
