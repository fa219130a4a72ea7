import { bearer, checkAnswers } from "../client.ts";
import type { Contestant } from "../contestants/contestant.ts";
import { cacheForAnHour, startFilledRedis, startTidegate } from "../contestants/tidegate.ts";
import { tokenOf } from "../data.ts";
import { interleaved, rounds } from "../rounds.ts";
import { rotating, striding } from "../wrk.ts";

/** Processor time per request in microseconds, one figure per round, by number of users in the store. */
export type FlatCost = readonly {
  readonly users: number;
  readonly hit: readonly number[];
  readonly miss: readonly number[];
}[];

const sizes = (process.env["FLAT_USERS"] ?? "1000,10000,100000,1000000").split(",").map(Number);
const askedUsers = 1_000;

export async function flatCost(): Promise<FlatCost> {
  await using opened = new AsyncDisposableStack();
  const contestants: Contestant[] = [];
  for (const users of sizes) {
    console.log(`filling a Redis with ${users} users`);
    const redis = await startFilledRedis(opened, users);
    const asked = Array.from({ length: askedUsers }, (_, index) => ({
      headers: bearer(tokenOf(Math.floor((index * users) / askedUsers))),
    }));
    for (const [kind, script, capacity] of [
      ["hit", rotating(asked), "100000"],
      ["miss", striding(users), `${askedUsers / 10}`],
    ] as const) {
      const server = await startTidegate(opened, redis, { env: { ...cacheForAnHour, CACHE_CAPACITY: capacity } });
      contestants.push({
        name: `${kind} of ${users}`,
        server,
        script,
        check: () => checkAnswers(server.url, { users }),
      });
    }
  }
  const slices = await interleaved(contestants, { connections: [32], rounds: Math.min(rounds, 3), seconds: 2 });
  const costs = (name: string) => slices.filter((slice) => slice.name === name).map(({ cpuMicros }) => cpuMicros);
  return sizes.map((users) => ({ users, hit: costs(`hit of ${users}`), miss: costs(`miss of ${users}`) }));
}
