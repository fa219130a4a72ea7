import { Agent, request } from "node:http";
import { setTimeout } from "node:timers/promises";
import { Redis } from "ioredis";
import { startRedisProcess } from "../../test/support/redis-process.ts";
import { startTidegate } from "../contestants/tidegate.ts";
import { allProcessors } from "../processors.ts";
import { type Spread, spreadOf } from "../spread.ts";

const rounds = 20;
const callsARound = 50;
/** The relay and the reads that follow a change must not delay the next one. */
const pauseMs = 10;
const adminToken = "a-credential-for-the-benchmark";
const path = "/admin/v1/sources/active/features/feature_1";

/** Time until a change is acknowledged, in milliseconds: the median of each round of sequential requests. */
export type Acknowledgement = { readonly script: Spread; readonly http: Spread; readonly ratio: Spread };

/** A change over HTTP, compared with its script, sent to the same Redis directly. */
export async function acknowledgement(): Promise<Acknowledgement> {
  await using opened = new AsyncDisposableStack();
  const { url, stop } = await startRedisProcess();
  opened.defer(stop);
  const server = await startTidegate(opened, url, {
    path: "/health",
    processors: allProcessors,
    env: { TIDEGATE_ADMIN_TOKEN: adminToken },
  });
  const redis = new Redis(url);
  opened.defer(() => redis.disconnect());
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  opened.defer(() => agent.destroy());
  const change = (method: string) => send(agent, new URL(path, server.url), method);

  // The commands of Tidegate are sent again unchanged, so that both sides do the same.
  const scripts = [await sentBy(url, () => change("PUT")), await sentBy(url, () => change("DELETE"))];
  const bare = async (call: number) => void (await redis.call("EVALSHA", scripts[call % 2] ?? []));
  const over = async (call: number) => change(call % 2 === 0 ? "PUT" : "DELETE");

  const found: { readonly script: number; readonly http: number }[] = [];
  for (let round = 0; round <= rounds; round++) {
    const both = { script: await medianOf(bare), http: await medianOf(over) };
    // The first round warms up.
    if (round > 0) found.push(both);
  }
  return {
    script: spreadOf(found.map(({ script }) => script)),
    http: spreadOf(found.map(({ http }) => http)),
    ratio: spreadOf(found.map(({ script, http }) => http / script)),
  };
}

/** The arguments of the script that a change runs. */
async function sentBy(url: string, change: () => Promise<void>): Promise<string[]> {
  const redis = new Redis(url);
  const watching = await redis.monitor();
  try {
    const seen = Promise.withResolvers<string[]>();
    watching.on("monitor", (_time: string, [command = "", ...values]: string[]) => {
      if (/^evalsha$/i.test(command) && values.includes("change")) seen.resolve(values);
    });
    // The script is sent in full the first time.
    await change();
    await change();
    return await seen.promise;
  } finally {
    watching.disconnect();
    redis.disconnect();
  }
}

async function medianOf(call: (index: number) => Promise<void>): Promise<number> {
  const times: number[] = [];
  for (let index = 0; index < callsARound; index++) {
    const before = performance.now();
    await call(index);
    times.push(performance.now() - before);
    await setTimeout(pauseMs);
  }
  return spreadOf(times).median;
}

function send(agent: Agent, url: URL, method: string): Promise<void> {
  return new Promise((resolve, reject) => {
    request(url, { agent, method, headers: { authorization: `Bearer ${adminToken}` } }, (response) => {
      response.resume().on("end", () => {
        if (response.statusCode === 200) resolve();
        else reject(new Error(`${method} ${url.pathname} was answered ${response.statusCode}`));
      });
    })
      .on("error", reject)
      .end();
  });
}
