import { Counts } from "../adapters/http/counts.ts";
import { tokensSource } from "../application/identify-caller.ts";
import { commandTimes, metricsOf } from "../infrastructure/metrics/metrics.ts";
import { Tokens } from "../tokens.ts";
import type { Wiring } from "./wiring.ts";

/** What is counted and timed. */
export function provideFigures({ config, provide }: Wiring): void {
  provide(Tokens.Counts, () => new Counts());

  provide(Tokens.CommandTimes, commandTimes);

  provide(Tokens.Metrics, (c) => {
    const counts = c.resolve(Tokens.Counts);
    const tokens = c.resolve(Tokens.CachedTokens);
    const sets = [...c.resolve(Tokens.CachedSets)];
    const observed = {
      calls: () => counts.calls(),
      answers: counts.answers,
      caches: [
        ...sets.map(([connection, { cache }]) => ({ connection, holds: "sets", usage: cache })),
        ...[...c.resolve(Tokens.CachedValues)].map(([connection, { cache }]) => ({
          connection,
          holds: "values",
          usage: cache,
        })),
        ...[...c.resolve(Tokens.CachedSettings)].map(([connection, { cache }]) => ({
          connection,
          holds: "settings",
          usage: cache,
        })),
        ...(config.tokens && tokens
          ? [{ connection: config.tokens.connection, holds: "tokens", usage: tokens.cache }]
          : []),
      ],
      feeds: c.resolve(Tokens.Feeds),
      sources: [...config.sources.map(({ name }) => name), ...(config.tokens ? [tokensSource] : [])],
      failures: c.resolve(Tokens.SourceStates).failures,
      backlogs: () => new Map([...c.resolve(Tokens.KeepRecords)].map(([name, { backlog }]) => [name, backlog])),
      setAside: () => c.resolve(Tokens.DrainOutboxes).setAside,
      providers: () => c.resolve(Tokens.ViewItems).states,
      now: c.resolve(Tokens.Clock),
      monotonic: () => performance.now(),
    };
    return metricsOf(observed, c.resolve(Tokens.CommandTimes));
  });
}
