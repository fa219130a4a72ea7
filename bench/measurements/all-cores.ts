import { checkAnswers } from "../client.ts";
import { type Contestant, obtain } from "../contestants/contestant.ts";
import { seedDesign } from "../contestants/seed-design/seed-design.ts";
import { cacheForAnHour, everyUser, startFilledRedis, startTidegate } from "../contestants/tidegate.ts";
import { allProcessors, keepTo, loadProcessor } from "../processors.ts";
import { interleaved, rounds, type Slice } from "../rounds.ts";

const flaskSettings = {
  "Flask, 2 workers": ["--workers", "2"],
  "Flask, 3 workers": ["--workers", "3"],
  "Flask, 5 workers": ["--workers", "5"],
  "Flask, 2 workers of 4 threads": ["--workers", "2", "--threads", "4"],
};

/** Requests per second without pinning: servers, Redis and load share all processors. */
export type AllCores = { readonly slices: readonly Slice[]; readonly skipped: readonly string[] };

export async function allCores(): Promise<AllCores> {
  keepTo(allProcessors);
  try {
    await using opened = new AsyncDisposableStack();
    const redis = await startFilledRedis(opened);
    const tidegate = async (name: string, workers: string): Promise<Contestant> => {
      const env = { ...cacheForAnHour, WEB_CONCURRENCY: workers };
      const server = await startTidegate(opened, redis, { env, processors: allProcessors });
      return { name, server, script: everyUser(), check: () => checkAnswers(server.url) };
    };
    const { contestants, skipped } = await obtain([
      () => tidegate("Tidegate, 1 process", "1"),
      () => tidegate("Tidegate, 2 processes", "2"),
      ...Object.entries(flaskSettings).map(
        ([name, settings]) =>
          () =>
            seedDesign(opened, name, settings, redis, allProcessors),
      ),
    ]);
    return { slices: await interleaved(contestants, { connections: [32], rounds: Math.min(rounds, 3) }), skipped };
  } finally {
    keepTo(loadProcessor);
  }
}
