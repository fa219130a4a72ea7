import type { DependencyContainer } from "tsyringe";
import { CompareMoments } from "../../application/explain/compare-moments.ts";
import { EvaluateEachSource } from "../../application/explain/evaluate-each-source.ts";
import { ExplainFeatures } from "../../application/explain/explain-features.ts";
import { FeaturesAsOf } from "../../application/explain/features-as-of.ts";
import { HistoricalStore, type RecordedStore } from "../../application/explain/historical-store.ts";
import type { ManagedSource } from "../../domain/admin/managed-source.ts";
import { HistoryUnavailable } from "../../domain/errors.ts";
import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import type { FeatureResolver } from "../../domain/evaluation/feature-resolver.ts";
import type { Config } from "../config/config.ts";
import { DiKeys } from "./di-keys.ts";
import { managedSource, noFeed, type SourceStore } from "./managed-source.ts";
import { connectionOf, storeName, type Wiring } from "./wiring.ts";

/** Limit for a source of a past moment, which waits for the event log. The event log itself times out earlier. */
const longestRecallMs = 10_000;

/** Provides history and explanations: evaluations of past moments, and the reasons of results. */
export function provideMoments({ config, provide }: Wiring): void {
  provide(DiKeys.EvaluateEachSource, (c) => {
    const past = (at: Instant) => pastSources(c, config, at);
    return new EvaluateEachSource(
      c.resolve(DiKeys.IdentifyCaller),
      c.resolve(DiKeys.Sources),
      past,
      c.resolve(DiKeys.Clock),
    );
  });

  provide(DiKeys.FeaturesAsOf, (c) => new FeaturesAsOf(c.resolve(DiKeys.EvaluateEachSource)));

  provide(
    DiKeys.ExplainFeatures,
    (c) =>
      new ExplainFeatures(c.resolve(DiKeys.EvaluateEachSource), c.resolve(DiKeys.History), () =>
        c.resolve(DiKeys.OutboxRelay).relayAll(),
      ),
  );

  provide(
    DiKeys.CompareMoments,
    (c) => new CompareMoments(c.resolve(DiKeys.EvaluateEachSource), c.resolve(DiKeys.History)),
  );
}

/** The sources as of a past instant. */
export function pastSources(c: DependencyContainer, config: Config, at: Instant): readonly ManagedSource[] {
  const past = (connection: string) =>
    new HistoricalStore(c.resolve(DiKeys.History), recordedStore(c, config, connection), connection, at);
  const store = (connection: string): SourceStore => {
    const { changes, documents } = connectionOf(c, connection);
    const { sets, index, rules } = past(connection);
    return { sets, cachedSets: sets, index, changes, rules, documents };
  };
  return config.sources.map((source) => {
    const { name, feed, isReplayable } = source;
    const create = isReplayable ? source.create : () => unrecorded(name);
    const managed = managedSource({ ...source, create }, store, {
      readItems: feed ? () => past(feed.connection).itemsOf(name) : noFeed,
      pollFile: () => () => withoutHistory(name),
      pollUrl: () => () => withoutHistory(name),
      report: () => {},
      warn: () => {},
    });
    return { ...managed, timeoutMs: longestRecallMs, faults: () => [] };
  });
}

/** The resolver of a source without history: always undetermined. */
const unrecorded = (name: string): FeatureResolver => ({ resolve: () => withoutHistory(name) });

function withoutHistory(name: string): never {
  throw new HistoryUnavailable([{ name }]);
}

/** The present store of a connection, for the history of its records. */
function recordedStore(c: DependencyContainer, config: Config, connection: string): RecordedStore {
  const { changes, documents } = connectionOf(c, connection);
  const store = storeName(config, connection);
  const families = c.resolve(DiKeys.Sources).flatMap(({ editableSet }) => editableSet ?? []);
  return {
    changes,
    documents,
    relay: () => c.resolve(DiKeys.OutboxRelay).relay(store),
    completeSince: async (keyOrPrefix) => {
      const family = families.find(
        ({ key, ...family }) =>
          family.connection === connection && (key.matches(keyOrPrefix) || key.prefix === keyOrPrefix),
      );
      return family && c.resolve(DiKeys.HistoryCoverage).of(store, family.key.text);
    },
  };
}
