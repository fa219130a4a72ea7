import { Counts } from "../../adapters/http/operations/counts.ts";
import { tokensSource } from "../../application/evaluation/identify-caller.ts";
import { commandTimes, metricsOf } from "../../infrastructure/metrics/metrics.ts";
import { DiKeys } from "./di-keys.ts";
import type { Wiring } from "./wiring.ts";

/** Provides counters, timings and metrics. */
export function provideFigures({ config, provide }: Wiring): void {
  provide(DiKeys.Counts, () => new Counts());

  provide(DiKeys.CommandTimes, commandTimes);

  provide(DiKeys.Metrics, (c) => {
    const counts = c.resolve(DiKeys.Counts);
    const tokens = c.resolve(DiKeys.CachedTokens);
    const sets = [...c.resolve(DiKeys.CachedSets)];
    const observed = {
      calls: () => counts.calls(),
      answers: counts.answers,
      caches: [
        ...sets.map(([connection, { cache }]) => ({ connection, holds: "sets", usage: cache })),
        ...[...c.resolve(DiKeys.CachedValues)].map(([connection, { cache }]) => ({
          connection,
          holds: "values",
          usage: cache,
        })),
        ...[...c.resolve(DiKeys.CachedRules)].map(([connection, { cache }]) => ({
          connection,
          holds: "rules",
          usage: cache,
        })),
        ...(config.tokens && tokens
          ? [{ connection: config.tokens.connection, holds: "tokens", usage: tokens.cache }]
          : []),
      ],
      feeds: c.resolve(DiKeys.Feeds),
      sources: [...config.sources.map(({ name }) => name), ...(config.tokens ? [tokensSource] : [])],
      failures: c.resolve(DiKeys.SourceStates).failures,
      backlogs: () => new Map([...c.resolve(DiKeys.OutboxRelayJobs)].map(([name, { backlog }]) => [name, backlog])),
      setAside: () => c.resolve(DiKeys.OutboxRelay).deadLetters,
      providers: () => c.resolve(DiKeys.ViewFeedItems).states,
      now: c.resolve(DiKeys.Clock),
      monotonic: () => performance.now(),
    };
    return metricsOf(observed, c.resolve(DiKeys.CommandTimes));
  });
}
