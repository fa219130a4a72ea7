import type { DependencyContainer } from "tsyringe";
import type { RecordedDocuments } from "../application/catch-up-documents.ts";
import { CompareMoments } from "../application/compare-moments.ts";
import { ExplainFeatures } from "../application/explain-features.ts";
import { PastFeatureSets } from "../application/past-feature-sets.ts";
import { PastFeatureStore } from "../application/past-feature-store.ts";
import { PastItemStore } from "../application/past-item-store.ts";
import { PastSettings } from "../application/past-settings.ts";
import { RecallFeatures } from "../application/recall-features.ts";
import { RecallItems } from "../application/recall-items.ts";
import { RecallSets } from "../application/recall-sets.ts";
import { RecallSettings } from "../application/recall-settings.ts";
import { SurveySources } from "../application/survey-sources.ts";
import type { Config } from "../config.ts";
import { NotKnown } from "../domain/errors.ts";
import type { Instant } from "../domain/evaluation-context.ts";
import type { FeatureResolver } from "../domain/feature-resolver.ts";
import type { Source } from "../domain/source.ts";
import { Tokens } from "../tokens.ts";
import { connectionOf, storeName, type Wiring } from "./wiring.ts";

/** A source of a past moment waits for the log, which is given up before that. */
const longestRecallMs = 10_000;

/** What was so at another moment than now, and why something is so. */
export function provideMoments({ config, provide }: Wiring): void {
  const storeOf = (connection: string) => storeName(config, connection);

  provide(Tokens.RecallSets, (c) => {
    const families = c.resolve(Tokens.Sources).flatMap(({ resolver }) => resolver.stored ?? []);
    const completeSince = async (connection: string, keyOrPrefix: string) => {
      const family = families.find(
        ({ key, ...family }) =>
          family.connection === connection && (key.matches(keyOrPrefix) || key.prefix === keyOrPrefix),
      );
      return family && c.resolve(Tokens.CompleteSince).of(storeOf(connection), family.key.text);
    };
    const drain = c.resolve(Tokens.DrainOutboxes);
    const recorded = {
      revisions: (connection: string, keys: readonly string[]) => connectionOf(c, connection).changes.revisions(keys),
      drain: (connection: string) => drain.drain(storeOf(connection)),
    };
    return new RecallSets(c.resolve(Tokens.History), recorded, completeSince);
  });

  const recordedDocuments = (c: DependencyContainer): RecordedDocuments => ({
    revisions: (connection, collection) => connectionOf(c, connection).documents.revisions(collection),
    drain: (connection) => c.resolve(Tokens.DrainOutboxes).drain(storeOf(connection)),
  });

  provide(Tokens.RecallSettings, (c) => new RecallSettings(c.resolve(Tokens.History), recordedDocuments(c)));

  provide(Tokens.RecallItems, (c) => new RecallItems(c.resolve(Tokens.History), recordedDocuments(c)));

  provide(Tokens.SurveySources, (c) => {
    const past = (at: Instant) => pastSources(c, config, at);
    return new SurveySources(
      c.resolve(Tokens.IdentifyCaller),
      c.resolve(Tokens.Sources),
      past,
      c.resolve(Tokens.Clock),
    );
  });

  provide(Tokens.RecallFeatures, (c) => new RecallFeatures(c.resolve(Tokens.SurveySources)));

  provide(
    Tokens.ExplainFeatures,
    (c) =>
      new ExplainFeatures(c.resolve(Tokens.SurveySources), c.resolve(Tokens.History), () =>
        c.resolve(Tokens.DrainOutboxes).execute(),
      ),
  );

  provide(Tokens.CompareMoments, (c) => new CompareMoments(c.resolve(Tokens.SurveySources), c.resolve(Tokens.History)));
}

/** The sources as they would have answered at a moment. */
export function pastSources(c: DependencyContainer, config: Config, at: Instant): readonly Source[] {
  const recall = c.resolve(Tokens.RecallSets);
  const store = (connection: string) => ({
    sets: new PastFeatureSets(recall, connection, at),
    changes: new PastFeatureStore(recall, connection, at),
    settings: new PastSettings(c.resolve(Tokens.RecallSettings), connection, at),
    documents: connectionOf(c, connection).documents,
    items: new PastItemStore(c.resolve(Tokens.RecallItems), connection, at),
    lease: () => ({ hold: async () => false, release: async () => {} }),
  });
  return config.sources.map(({ create, isReplayable, kind: _, setting: __, ...source }) => {
    const host = { name: source.name, store, onServing: () => {}, warn: () => {} };
    const resolver = isReplayable ? create(host) : unrecorded(source.name);
    return { ...source, resolver, timeoutMs: longestRecallMs };
  });
}

/** What a source that cannot be asked about the past says of it. */
const unrecorded = (name: string): FeatureResolver => ({
  resolve: () => {
    throw new NotKnown([{ name }]);
  },
});
