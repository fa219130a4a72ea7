import { setTimeout } from "node:timers/promises";
import { Redis } from "ioredis";
import { isOwnKey } from "../../src/infrastructure/stores/store-keys.ts";
import { TcpProxy } from "../../test/support/tcp-proxy.ts";
import { until } from "../../test/support/until.ts";
import { bearer, Client } from "../client.ts";
import { startFilledRedis, startTidegate, watched } from "../contestants/tidegate.ts";
import { tokenOf } from "../data.ts";

const hitCount = 10_000;
const concurrentCalls = 1_000;

/** The number of reads of Redis, by its own count. */
export type RoundTrips = {
  readonly hits: { readonly calls: number; readonly reads: number };
  /** One request of a new user: the number of sequential waits for each Redis. */
  readonly miss: { readonly users: number; readonly features: number; readonly commands: number };
  /** Concurrent requests for one user to a Tidegate with an empty cache: the maximum number of reads of one key. */
  readonly cold: {
    readonly calls: number;
    readonly keys: number;
    readonly commands: number;
    readonly commandsPerKey: number;
    readonly readsPerKey: number;
  };
};

export async function roundTrips(): Promise<RoundTrips> {
  return { cold: await coldCalls(), ...(await missAndHits()) };
}

async function coldCalls(): Promise<RoundTrips["cold"]> {
  await using opened = new AsyncDisposableStack();
  const redis = await startFilledRedis(opened, 1);
  // It starts without reads of features, because the page needs none.
  const server = await startTidegate(opened, redis, { path: "/health" });
  await quiet([redis]);
  using client = new Client(concurrentCalls);
  const url = new URL("/features", server.url).href;
  const seen = await watched(redis, async () => {
    const asked = Array.from({ length: concurrentCalls }, () => client.ask(url, bearer(tokenOf(0))));
    const wrong = (await Promise.all(asked)).find(({ status }) => status !== 200);
    if (wrong) throw new Error(`a cold call was answered ${wrong.status}: ${wrong.body}`);
  });
  const commands = seen.filter(isForClients);
  const max = (of: typeof commands) =>
    Math.max(
      ...Map.groupBy(of, ([, key]) => key)
        .values()
        .map(({ length }) => length),
    );
  return {
    calls: concurrentCalls,
    keys: new Set(commands.map(([, key]) => key)).size,
    commands: commands.length,
    commandsPerKey: max(commands),
    readsPerKey: max(commands.filter(([name]) => name?.toLowerCase() !== "pttl")),
  };
}

async function missAndHits(): Promise<Pick<RoundTrips, "hits" | "miss">> {
  await using opened = new AsyncDisposableStack();
  const [users, features] = await Promise.all([startFilledRedis(opened, 2), startFilledRedis(opened, 2)]);
  const proxies = await Promise.all([users, features].map((url) => TcpProxy.to(Number(new URL(url).port))));
  for (const proxy of proxies) opened.use(proxy);
  const [usersUrl = "", featuresUrl = ""] = proxies.map(({ port }) => `redis://127.0.0.1:${port}`);
  const { url } = await startTidegate(opened, featuresUrl, { usersUrl });
  await quiet([users, features]);
  using client = new Client();
  await client.ask(url, bearer(tokenOf(0)));

  const sentBefore = proxies.map(({ sent }) => sent.length);
  await client.ask(url, bearer(tokenOf(1)));
  // The rest is the heartbeat, and the lease of the relay.
  const sent = proxies.map((proxy, index) =>
    proxy.sent.slice(sentBefore[index]).filter((text) => /\r\n(token|features:user):/.test(text)),
  );
  const miss = {
    users: sent[0]?.length ?? Number.NaN,
    features: sent[1]?.length ?? Number.NaN,
    commands:
      sent
        .flat()
        .join("")
        .match(/^\*\d+\r$/gm)?.length ?? 0,
  };

  const reads = async (url: string, task: () => Promise<void>) =>
    (await watched(url, task)).filter(isForClients).length;
  let ofFeatures = 0;
  const ofUsers = await reads(users, async () => {
    ofFeatures = await reads(features, async () => {
      for (let call = 0; call < hitCount; call++) await client.ask(url, bearer(tokenOf(call % 2)));
    });
  });
  return { miss, hits: { calls: hitCount, reads: ofUsers + ofFeatures } };
}

/** Waits until a new process has recorded the sets that it found: until none is read for some seconds. */
async function quiet(urls: readonly string[]): Promise<void> {
  for (const url of urls) {
    const redis = new Redis(url);
    const setReads = async () =>
      [...(await redis.info("commandstats")).matchAll(/^cmdstat_(?:smembers|scard|sscan):calls=(\d+)/gm)].join();
    const isQuiet = async () => {
      const before = await setReads();
      await setTimeout(3_000);
      return before === (await setReads());
    };
    await until(isQuiet, "no set is read", 60_000);
    redis.disconnect();
  }
}

/** Whether a command is on a key that requests read. Commands within a script count, the script does not. */
const isForClients = ([name = "", key = ""]: readonly string[]): boolean =>
  !/^(ping|info|time|hello|client|subscribe|select|monitor|publish|scan|eval)/i.test(name) && !isOwnKey(key);
