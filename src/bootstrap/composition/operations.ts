import { bulkPath } from "../../adapters/http/ofrep/ofrep-fast-path.ts";
import { durationBuckets, HttpCounters } from "../../adapters/http/operations/http-counters.ts";
import { AdvertisedStreams } from "../../adapters/http/streams/advertised-streams.ts";
import { ClientStreams } from "../../adapters/http/streams/client-streams.ts";
import { StreamLimits } from "../../adapters/http/streams/stream-limits.ts";
import { frontendPaths } from "../../adapters/http/unleash/frontend-paths.ts";
import { CheckChanges } from "../../application/evaluation/check-changes.ts";
import { CheckReadiness } from "../../application/evaluation/check-readiness.ts";
import { tokensSource } from "../../application/evaluation/identify-caller.ts";
import type { Traffic } from "../../application/system/recent-traffic.ts";
import type { Reported } from "../../application/system/worker-report.ts";
import type { CacheUsage } from "../../infrastructure/cache/near-cache.ts";
import { Snapshot } from "../../infrastructure/cache/snapshot.ts";
import type { Changeable } from "../../infrastructure/connection.ts";
import { countInvalidations } from "../../infrastructure/metrics/count-invalidations.ts";
import type { Observed } from "../../infrastructure/metrics/observed.ts";
import type { Evaluation } from "./evaluation.ts";
import type { Events } from "./events.ts";
import type { Feeds } from "./feeds.ts";
import { lazy, once } from "./lazy.ts";
import type { Stores } from "./stores.ts";
import { areDigestsSecret } from "./token-keys.ts";
import type { UnleashArea } from "./unleash.ts";
import { causeText, type Wiring } from "./wiring.ts";

/** Whether clients evaluate by a route. */
const isForClients = (route: string): boolean =>
  route === "/features" || route.startsWith(bulkPath) || frontendPaths.some((path) => path === route);

export type Operations = ReturnType<typeof operationsOf>;

/** Operations: health, metrics, and the snapshot of the caches. */
export function operationsOf(
  wiring: Wiring,
  stores: Stores,
  evaluation: Evaluation,
  events: Events,
  feeds: Feeds,
  unleash: UnleashArea,
) {
  const { config, env, disposal, now } = wiring;
  const { tokens } = config;

  const httpCounters = once(() => new HttpCounters());

  const streamLimits = once(() => new StreamLimits(config.server.streams));

  const clientStreams = once(() => {
    const streams = new ClientStreams(streamLimits(), evaluation.watchEvaluations);
    disposal.defer(() => streams.close());
    return streams;
  });

  /** `undefined` if none is configured. */
  const snapshot = once(() => {
    const { snapshot } = config.cache;
    if (!snapshot) return undefined;
    const parts = [...stores.connections].flatMap(([connection, { remote: store }]) => {
      const sets = stores.cachedSets.get(connection)?.cache;
      const rules = stores.cachedRules.get(connection)?.cache;
      const hasSecretTokens = tokens?.connection === connection && areDigestsSecret(tokens, env);
      const feeds = new Map(
        evaluation.sources.flatMap(({ name, feed }) =>
          feed?.connection === connection ? [[name, feed] as const] : [],
        ),
      );
      if (!store || !(sets || rules || feeds.size > 0)) return [];
      const tokensOfStore = hasSecretTokens ? stores.tokens?.resolver.cache : undefined;
      return [{ connection, store, sets, rules, tokens: tokensOfStore, feeds }];
    });
    return disposal.use(new Snapshot(snapshot.file, parts, wiring.channel.filled, wiring.log));
  });

  /** The sets and tokens that operators may change in a store. Key templates are filled with "probe". */
  function changeableIn(name: string): Changeable {
    const stored = evaluation.sources
      .flatMap(({ editableSet }) => editableSet ?? [])
      .filter(({ connection }) => connection === name);
    return {
      sets: stored.flatMap(({ key }) => key.keyOf({ userId: "probe", location: "probe" }) ?? []),
      collections: [...(config.keys.get(name)?.collections ?? [])],
      ...(tokens?.connection === name && stores.tokens && { tokenKey: stores.tokens.keyOf }),
    };
  }

  const members = lazy({
    httpCounters,
    streamLimits,
    clientStreams,
    /** `undefined` without a store for the secret of stream URLs. */
    advertisedStreams: () => {
      const { contextFields, firstConnection } = evaluation;
      if (firstConnection === undefined) return undefined;
      let hasFailed = false;
      return new AdvertisedStreams(stores.connectionOf(firstConnection).secrets, streamLimits(), {
        fields: contextFields,
        basePath: config.server.basePath,
        now,
        failed: (cause) => {
          if (!hasFailed) wiring.log.warn({ cause: causeText(cause) }, "cannot read the secret of event streams");
          hasFailed = true;
        },
      });
    },
    snapshot,
    checkReadiness: () => {
      const connections = [...stores.connections].map(([name, connection]) => ({
        name,
        check: () => connection.check(),
        hasSnapshot: () => snapshot()?.isUsedFor(name, tokens?.connection === name) ?? false,
      }));
      return new CheckReadiness(connections, evaluation.sources, now);
    },
    checkChanges: () => {
      const { log } = wiring;
      const connections = [...stores.connections];
      const check = new CheckChanges(
        connections.map(([name, connection]) => {
          const changeable = changeableIn(name);
          return { name, probe: () => connection.probe(changeable) };
        }),
        {
          rejected: (connection, reason) => log.error({ connection, reason }, "store rejects changes"),
          accepted: (connection) => log.info({ connection }, "store accepts changes again"),
        },
      );
      for (const [, connection] of connections) connection.onConnect(() => void check.checkUntilKnown());
      return disposal.use(check);
    },
    /** The traffic that this configuration has served. */
    traffic: () => (): Traffic => {
      const { evaluations } = httpCounters();
      const durations = [...httpCounters().durations()].filter(({ labels }) => isForClients(labels.route));
      return {
        requests: [...httpCounters().requests()].reduce((sum, { value }) => sum + value, 0),
        evaluations: Object.values(evaluations).reduce((sum, count) => sum + count, 0),
        cached: evaluations.cached,
        durations: Array.from({ length: durationBuckets.length + 1 }, (_, bucket) =>
          durations.reduce((sum, { counts }) => sum + (counts[bucket] ?? 0), 0),
        ),
        streams: Object.values(clientStreams().open).reduce((sum, count) => sum + count, 0),
      };
    },
    /** The services that the report of this process reads, besides its traffic. */
    reported: (): Omit<Reported, "traffic"> => ({
      process: () => ({
        pid: process.pid,
        startedAt: Math.round(performance.timeOrigin),
        residentBytes: process.memoryUsage.rss(),
      }),
      sources: evaluation.sources,
      states: evaluation.sourceStates,
      readiness: members.checkReadiness,
      changes: members.checkChanges,
      records: events.checkEventLog,
      isSynced: (store) => stores.invalidationFeeds.get(store)?.isLive(now()) ?? null,
      caches: () =>
        members.observed.caches.map(({ connection, content, usage: { size, counts } }) => ({
          ...{ connection, content, size },
          hits: counts.hits,
          misses: counts.misses,
          stale: counts.stale,
        })),
      streams: () => ({ ...clientStreams().open, events: events.eventStreams.size }),
      now,
    }),
    /** The values of the metrics. */
    observed: (): Observed => {
      const { cachedSets, cachedValues, cachedRules } = stores;
      const usages = (content: string, caches: ReadonlyMap<string, { readonly cache: CacheUsage }>) =>
        [...caches].map(([connection, { cache: usage }]) => ({ connection, content, usage }));
      return {
        requests: () => httpCounters().requests(),
        durations: () => httpCounters().durations(),
        durationBuckets,
        evaluations: httpCounters().evaluations,
        caches: [
          ...usages("sets", cachedSets),
          ...usages("values", cachedValues),
          ...usages("rules", cachedRules),
          ...usages("tokens", new Map(tokens && stores.tokens ? [[tokens.connection, stores.tokens.resolver]] : [])),
        ],
        invalidationFeeds: stores.invalidationFeeds,
        invalidations: countInvalidations(stores.invalidationFeeds),
        sources: [...config.sources.map(({ name }) => name), ...(tokens ? [tokensSource] : [])],
        failures: evaluation.sourceStates.failures,
        backlogs: () => new Map([...events.outboxRelayJobs].map(([name, { backlog }]) => [name, backlog])),
        deadLetters: () => events.outboxRelay.deadLetters,
        commandDurations: stores.commandDurations,
        feeds: () => feeds.viewFeedItems.states,
        streams: () => clientStreams(),
        usage: () => {
          const { countUsage, recordUsage } = events;
          const { recorded, dropped } = recordUsage.counts;
          return { recorded, dropped: dropped + countUsage.dropped };
        },
        unleashReports: unleash.isOn ? unleash.reports.counts : {},
        now,
        monotonic: () => performance.now(),
      };
    },
  });
  return members;
}
