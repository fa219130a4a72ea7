import type { LocateCaller } from "../../application/evaluation/locate-caller.ts";
import { compareContexts } from "../../application/explain/compare-contexts.ts";
import { compareTimes } from "../../application/explain/compare-times.ts";
import { evaluateEachSource } from "../../application/explain/evaluate-each-source.ts";
import { ExplainFeatures } from "../../application/explain/explain-features.ts";
import { featuresAsOf } from "../../application/explain/features-as-of.ts";
import { feedChanges } from "../../application/explain/feed-changes.ts";
import { historicalStore, type RecordedStore } from "../../application/explain/historical-store.ts";
import { recordedSets } from "../../application/explain/recorded-sets.ts";
import type { ManagedSource } from "../../domain/admin/managed-source.ts";
import { HistoryUnavailable } from "../../domain/errors.ts";
import { type Instant, lastInstant } from "../../domain/evaluation/evaluation-context.ts";
import type { FeatureResolver } from "../../domain/evaluation/feature-resolver.ts";
import type { Evaluation } from "./evaluation.ts";
import type { Events } from "./events.ts";
import { lazy, once } from "./lazy.ts";
import { managedSource, noFeed, type SourceStore } from "./sources/managed-source.ts";
import type { Stores } from "./stores.ts";
import type { Wiring } from "./wiring.ts";

export type Explain = ReturnType<typeof explainOf>;

/** Limit for a source of a past time, which waits for the event log. The event log itself times out earlier. */
const maxHistoryMs = 10_000;

/** Explanations: evaluations of past times, and the reasons of results. */
export function explainOf({ config, now }: Wiring, stores: Stores, evaluation: Evaluation, events: Events) {
  const eachSource = once(() =>
    evaluateEachSource(evaluation.identifyCaller, evaluation.sources, pastSources, now, locateAt),
  );

  const explainFeatures = once(
    () => new ExplainFeatures(eachSource(), events.history, () => events.outboxRelay.relayAll()),
  );

  const pastOf = (connection: string, at: Instant) =>
    historicalStore(events.history, recordedStore(connection), connection, at);

  /** The locators as of a past instant. */
  function locateAt(at: Instant): LocateCaller {
    return evaluation.locateCaller.over((connection) =>
      recordedSets(pastOf(connection, at).sets, pastOf(connection, lastInstant).sets, stores.cachedSetsOf(connection)),
    );
  }

  function pastSources(at: Instant): readonly ManagedSource[] {
    const past = (connection: string) => pastOf(connection, at);
    const store = (connection: string): SourceStore => {
      const { changes, documents } = stores.connectionOf(connection);
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
      return { ...managed, timeoutMs: maxHistoryMs, faults: () => [] };
    });
  }

  /** The present store of a connection, for the history of its records. */
  function recordedStore(connection: string): RecordedStore {
    const { changes, documents } = stores.connectionOf(connection);
    const store = stores.storeOf(connection);
    const editableSets = evaluation.sources.flatMap(({ editableSet }) => editableSet ?? []);
    return {
      changes,
      documents,
      relay: () => events.outboxRelay.relay(store),
      completeSince: async (keyOrPrefix) => {
        const stored = editableSets.find(
          ({ key, ...stored }) =>
            stored.connection === connection && (key.matches(keyOrPrefix) || key.prefix === keyOrPrefix),
        );
        return stored && events.historyCoverage.of(store, stored.key.text);
      },
    };
  }

  const changesOfFeeds = () =>
    feedChanges(
      events.history,
      (source) => config.sources.find(({ name }) => name === source)?.feed?.connection,
      (connection, feed, at) => pastOf(connection, at).itemsOf(feed),
    );

  return lazy({
    pastSources: () => pastSources,
    featuresAsOf: () => featuresAsOf(eachSource()),
    explainFeatures,
    compareContexts: () => compareContexts(explainFeatures(), changesOfFeeds()),
    compareTimes: () => compareTimes(eachSource(), events.history, changesOfFeeds()),
  });
}

/** The resolver of a source without history: always undetermined. */
const unrecorded = (name: string): FeatureResolver => ({ resolve: () => withoutHistory(name) });

function withoutHistory(name: string): never {
  throw new HistoryUnavailable([{ name }]);
}
