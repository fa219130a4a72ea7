import { durationBuckets, HttpCounters } from "../../adapters/http/operations/http-counters.ts";
import { tokensSource } from "../../application/evaluation/identify-caller.ts";
import { commandTimes, metricsOf } from "../../infrastructure/metrics/metrics.ts";
import { DiKeys } from "./di-keys.ts";
import type { Wiring } from "./wiring.ts";

/** Provides counters, timings and metrics. */
export function provideMetrics({ config, provide }: Wiring): void {
  provide(DiKeys.HttpCounters, () => new HttpCounters());

  provide(DiKeys.CommandTimes, commandTimes);

  provide(DiKeys.Metrics, (c) => {
    const counters = c.resolve(DiKeys.HttpCounters);
    const tokens = c.resolve(DiKeys.CachedTokens);
    const sets = [...c.resolve(DiKeys.CachedSets)];
    const observed = {
      requests: () => counters.requests(),
      durations: () => counters.durations(),
      durationBuckets,
      evaluations: counters.evaluations,
      caches: [
        ...sets.map(([connection, { cache }]) => ({ connection, content: "sets", usage: cache })),
        ...[...c.resolve(DiKeys.CachedValues)].map(([connection, { cache }]) => ({
          connection,
          content: "values",
          usage: cache,
        })),
        ...[...c.resolve(DiKeys.CachedRules)].map(([connection, { cache }]) => ({
          connection,
          content: "rules",
          usage: cache,
        })),
        ...(config.tokens && tokens
          ? [{ connection: config.tokens.connection, content: "tokens", usage: tokens.cache }]
          : []),
      ],
      invalidationFeeds: c.resolve(DiKeys.Feeds),
      sources: [...config.sources.map(({ name }) => name), ...(config.tokens ? [tokensSource] : [])],
      failures: c.resolve(DiKeys.SourceStates).failures,
      backlogs: () => new Map([...c.resolve(DiKeys.OutboxRelayJobs)].map(([name, { backlog }]) => [name, backlog])),
      deadLetters: () => c.resolve(DiKeys.OutboxRelay).deadLetters,
      feeds: () => c.resolve(DiKeys.ViewFeedItems).states,
      now: c.resolve(DiKeys.Clock),
      monotonic: () => performance.now(),
    };
    return metricsOf(observed, c.resolve(DiKeys.CommandTimes));
  });
}
