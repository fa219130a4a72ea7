import { Redis } from "ioredis";
import { freePort, startRedisProcess } from "../test/support/redis-process.ts";
import { type Contestant, contestant } from "./contestant.ts";

export type KillSwitch = { readonly trials: number; readonly processes: number; readonly millis: readonly number[] };

/**
 * Takes a feature out of `active_features` with a raw SREM, and asks every process until it answers without the feature. The
 * times, in milliseconds from Redis's answer to the last process's, sorted.
 */
export async function killSwitch(command: readonly string[], trials: number, processes: number): Promise<KillSwitch> {
  const redis = await startRedisProcess();
  const client = new Redis(redis.url);
  await client.set("token:killer", "1");
  await client.sadd("features:user:1", "victim");
  const env = { REDIS_USERS_URL: redis.url, REDIS_FEATURES_URL: redis.url, HOST: "127.0.0.1", LOG_LEVEL: "warn" };
  const servers: Contestant[] = [];
  const millis: number[] = [];
  try {
    for (let index = 0; index < processes; index++) {
      servers.push(await contestant(command, await freePort(), { ...env, WEB_CONCURRENCY: "1" }));
    }
    const headers = { authorization: "Bearer killer" };
    const everywhere = (wanted: boolean) =>
      Promise.all(
        servers.map(async ({ url }) => {
          while ((await (await fetch(url, { headers })).text()).includes("victim") !== wanted);
        }),
      );
    for (let trial = 0; trial < trials; trial++) {
      await client.sadd("active_features", "victim");
      await everywhere(true);
      await client.srem("active_features", "victim");
      const killed = performance.now();
      await everywhere(false);
      millis.push(performance.now() - killed);
    }
  } finally {
    for (const { stop } of servers) await stop();
    client.disconnect();
    await redis.stop();
  }
  return { trials, processes, millis: millis.sort((a, b) => a - b) };
}
