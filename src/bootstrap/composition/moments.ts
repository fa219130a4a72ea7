import type { DependencyContainer } from "tsyringe";
import type { RecordedDocuments } from "../../application/explain/catch-up-documents.ts";
import { CompareMoments } from "../../application/explain/compare-moments.ts";
import { EvaluateEachSource } from "../../application/explain/evaluate-each-source.ts";
import { ExplainFeatures } from "../../application/explain/explain-features.ts";
import { FeaturesAsOf } from "../../application/explain/features-as-of.ts";
import { RecallItems } from "../../application/explain/items-as-of.ts";
import { PastFeatureSets } from "../../application/explain/past-feature-sets.ts";
import { PastFeatureStore } from "../../application/explain/past-feature-store.ts";
import { PastItemStore } from "../../application/explain/past-item-store.ts";
import { PastRules } from "../../application/explain/past-rules.ts";
import { RulesAsOf } from "../../application/explain/rules-as-of.ts";
import { SetsAsOf } from "../../application/explain/sets-as-of.ts";
import { HistoryUnavailable } from "../../domain/errors.ts";
import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import type { FeatureResolver } from "../../domain/evaluation/feature-resolver.ts";
import type { Source } from "../../domain/evaluation/source.ts";
import type { Config } from "../config/config.ts";
import { DiKeys } from "./di-keys.ts";
import { connectionOf, storeName, type Wiring } from "./wiring.ts";

/** Limit for a source of a past moment, which waits for the event log. The event log itself times out earlier. */
const longestRecallMs = 10_000;

/** Provides history and explanations: evaluations of past moments, and the reasons of results. */
export function provideMoments({ config, provide }: Wiring): void {
  const storeOf = (connection: string) => storeName(config, connection);

  provide(DiKeys.SetsAsOf, (c) => {
    const families = c.resolve(DiKeys.Sources).flatMap(({ resolver }) => resolver.editableSet ?? []);
    const completeSince = async (connection: string, keyOrPrefix: string) => {
      const family = families.find(
        ({ key, ...family }) =>
          family.connection === connection && (key.matches(keyOrPrefix) || key.prefix === keyOrPrefix),
      );
      return family && c.resolve(DiKeys.HistoryCoverage).of(storeOf(connection), family.key.text);
    };
    const drain = c.resolve(DiKeys.OutboxRelay);
    const recorded = {
      revisions: (connection: string, keys: readonly string[]) => connectionOf(c, connection).changes.revisions(keys),
      drain: (connection: string) => drain.relay(storeOf(connection)),
    };
    return new SetsAsOf(c.resolve(DiKeys.History), recorded, completeSince);
  });

  const recordedDocuments = (c: DependencyContainer): RecordedDocuments => ({
    revisions: (connection, collection) => connectionOf(c, connection).documents.revisions(collection),
    drain: (connection) => c.resolve(DiKeys.OutboxRelay).relay(storeOf(connection)),
  });

  provide(DiKeys.RulesAsOf, (c) => new RulesAsOf(c.resolve(DiKeys.History), recordedDocuments(c)));

  provide(DiKeys.ItemsAsOf, (c) => new RecallItems(c.resolve(DiKeys.History), recordedDocuments(c)));

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
export function pastSources(c: DependencyContainer, config: Config, at: Instant): readonly Source[] {
  const recall = c.resolve(DiKeys.SetsAsOf);
  const store = (connection: string) => ({
    sets: new PastFeatureSets(recall, connection, at),
    changes: new PastFeatureStore(recall, connection, at),
    rules: new PastRules(c.resolve(DiKeys.RulesAsOf), connection, at),
    documents: connectionOf(c, connection).documents,
    items: new PastItemStore(c.resolve(DiKeys.ItemsAsOf), connection, at),
    lease: () => ({ hold: async () => false, release: async () => {} }),
  });
  return config.sources.map(({ create, isReplayable, kind: _, setting: __, ...source }) => {
    const host = { name: source.name, store, onServing: () => {}, warn: () => {} };
    const resolver = isReplayable ? create(host) : unrecorded(source.name);
    return { ...source, resolver, timeoutMs: longestRecallMs };
  });
}

/** The resolver of a source without history: always undetermined. */
const unrecorded = (name: string): FeatureResolver => ({
  resolve: () => {
    throw new HistoryUnavailable([{ name }]);
  },
});
