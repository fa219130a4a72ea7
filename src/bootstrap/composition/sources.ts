import { dirname, resolve } from "node:path";
import { LRUCache } from "lru-cache";
import type { DependencyContainer } from "tsyringe";
import { CallContext } from "../../adapters/http/client/call-context.ts";
import type { Changed, Polled } from "../../adapters/sources/_polled/latest.ts";
import { pollFile } from "../../adapters/sources/_polled/polled-file.ts";
import { pollUrl } from "../../adapters/sources/_polled/polled-url.ts";
import { AwaitSources } from "../../application/evaluation/await-sources.ts";
import { CheckReadiness } from "../../application/evaluation/check-readiness.ts";
import { ContextFields } from "../../application/evaluation/context-fields.ts";
import { type EvaluatedFeatures, EvaluateFeatures } from "../../application/evaluation/evaluate-features.ts";
import { EvaluateFlags } from "../../application/evaluation/evaluate-flags.ts";
import { type EvaluatedSources, EvaluateSources } from "../../application/evaluation/evaluate-sources.ts";
import { IdentifyCaller } from "../../application/evaluation/identify-caller.ts";
import { LocateCaller } from "../../application/evaluation/locate-caller.ts";
import { SourceFaults } from "../../application/evaluation/source-faults.ts";
import { SourceStates } from "../../application/evaluation/source-states.ts";
import { feedReader } from "../../application/feeds/read-feed.ts";
import { type NamedFeed, SearchItems } from "../../application/feeds/search-items.ts";
import { ViewFeedItems } from "../../application/feeds/view-feed-items.ts";
import type { ManagedSource } from "../../domain/admin/managed-source.ts";
import { SetupFailed } from "../../infrastructure/setup-failed.ts";
import type { ConfiguredSource } from "../config/config.ts";
import { DiKeys } from "./di-keys.ts";
import { pollerOf } from "./feeds.ts";
import { managedSource, noFeed } from "./managed-source.ts";
import { sourceStoreOf } from "./stores.ts";
import { causeText, connectionOf, type Wiring } from "./wiring.ts";

/** Provides the sources, the identification of users and the evaluation for clients. */
export function provideSources({ config, disposal, provide }: Wiring): void {
  provide(DiKeys.Background, () => []);

  provide(DiKeys.Sources, (c) => config.sources.map((source) => presentSource(c, source, config.file, disposal)));

  provide(DiKeys.AwaitSources, (c) => {
    const remote = c.resolve(DiKeys.Sources).filter(({ editableSet, editableRules }) => !editableSet && !editableRules);
    return new AwaitSources(remote, c.resolve(DiKeys.Background), c.resolve(DiKeys.Clock));
  });

  provide(DiKeys.SourceStates, (c) => {
    const log = c.resolve(DiKeys.Log);
    return new SourceStates(
      {
        failed: (source, cause) => log.error({ source, cause: causeText(cause) }, "source failed"),
        recovered: (source) => log.info({ source }, "source recovered"),
        foundInvalid: (source, cause) => log.error({ source, cause: causeText(cause) }, "source read invalid data"),
      },
      c.resolve(DiKeys.Clock),
    );
  });

  provide(DiKeys.LocateCaller, (c) => {
    const setsOf = (connection: string) => sourceStoreOf(c, connection).cachedSets;
    return new LocateCaller(config.locators.map((make) => make(setsOf)));
  });

  provide(
    DiKeys.IdentifyCaller,
    (c) =>
      new IdentifyCaller(
        c.resolve(DiKeys.TokenResolver),
        c.resolve(DiKeys.LocateCaller),
        c.resolve(DiKeys.SourceStates),
        c.resolve(DiKeys.Clock),
      ),
  );

  provide(DiKeys.ContextFields, (c) => new ContextFields(c.resolve(DiKeys.Sources)));

  provide(
    DiKeys.CallContext,
    (c) => new CallContext(config.context, c.resolve(DiKeys.LocateCaller), c.resolve(DiKeys.ContextFields)),
  );

  provide(
    DiKeys.EvaluateSources,
    (c) => new EvaluateSources(c.resolve(DiKeys.Sources), c.resolve(DiKeys.SourceStates)),
  );

  provide(
    DiKeys.EvaluateFeatures,
    (c) =>
      new EvaluateFeatures(
        c.resolve(DiKeys.IdentifyCaller),
        c.resolve(DiKeys.EvaluateSources),
        c.resolve(DiKeys.ContextFields),
        evaluationCache(),
      ),
  );

  provide(DiKeys.EvaluateFlags, (c) => {
    const log = c.resolve(DiKeys.Log);
    return new EvaluateFlags(
      c.resolve(DiKeys.IdentifyCaller),
      c.resolve(DiKeys.EvaluateSources),
      c.resolve(DiKeys.ContextFields),
      new LRUCache<string, EvaluatedSources>({ max: mostSourceResults }),
      c.resolve(DiKeys.FeatureRegister),
      { failed: (cause) => log.warn({ cause: causeText(cause) }, "features cannot be registered as known") },
    );
  });

  provide(DiKeys.SearchItems, (c) => new SearchItems(providersIn(c.resolve(DiKeys.Sources))));

  provide(DiKeys.ViewFeedItems, (c) => {
    const sources = c.resolve(DiKeys.Sources);
    return new ViewFeedItems(
      providersIn(sources),
      sources.map(({ name }) => name),
    );
  });

  provide(DiKeys.CheckReadiness, (c) => {
    const connections = [...c.resolve(DiKeys.Connections)].map(([name, connection]) => ({
      name,
      check: () => connection.check(),
      isRemembered: () => c.resolve(DiKeys.Snapshot)?.stoodInFor(name, config.tokens?.connection === name) ?? false,
    }));
    return new CheckReadiness(connections, c.resolve(DiKeys.Sources), c.resolve(DiKeys.Clock));
  });
}

/**
 * Limit for cached features in all evaluations. Enough for results that thousands of users share, not for one per user.
 */
const mostFeatures = 100_000;

const evaluationCache = () =>
  new LRUCache<string, EvaluatedFeatures>({
    maxSize: mostFeatures,
    sizeCalculation: ({ features }) => features.size + 1,
  });

/** Limit for cached source results. Enough for the callers that a server evaluates flag after flag for. */
const mostSourceResults = 1_000;

const providersIn = (sources: readonly ManagedSource[]): readonly NamedFeed[] =>
  sources.flatMap(({ name, feed }) => (feed ? [{ name, items: feed }] : []));

/** Creates a source over the present stores. Throws `SetupFailed`. */
function presentSource(
  c: DependencyContainer,
  source: ConfiguredSource,
  configFile: string,
  disposal: AsyncDisposableStack,
): ManagedSource {
  const log = c.resolve(DiKeys.Log);
  const { name, kind } = source;
  const warn = (fields: Record<string, unknown>, sentence: string) => log.warn({ source: name, ...fields }, sentence);
  const faults = new SourceFaults((fault) => warn({ fault }, "source data has a fault"));
  const polled = <T>(document: string, poll: (changed: Changed) => Polled<T>) =>
    disposal.use(poll((fault) => faults.replace(document, fault === undefined ? [] : [fault]))).read;
  try {
    const environment = { warn, newId: c.resolve(DiKeys.NewId), now: c.resolve(DiKeys.Clock) };
    const feed = source.feed && pollerOf(name, source.feed, connectionOf(c, source.feed.connection), environment);
    if (feed) {
      disposal.defer(() => feed.stop());
      c.resolve(DiKeys.Background).push({ source: name, begin: () => feed.start() });
    }
    const managed = managedSource(source, (connection) => sourceStoreOf(c, connection), {
      readItems: feed ? feedReader(feed) : noFeed,
      pollFile: (file, parse) => {
        const path = resolve(dirname(configFile), file);
        return polled(path, (changed) => pollFile(path, parse, changed));
      },
      pollUrl: (polling, parse) => polled(polling.url, (changed) => pollUrl(polling, parse, changed)),
      report: (reported) => faults.replace("", reported),
      warn,
    });
    disposal.defer(async () => managed.resolver.dispose?.());
    return { ...managed, feed, faults: () => faults.all() };
  } catch (cause) {
    throw new SetupFailed(`cannot create source "${name}" (${kind}): ${causeText(cause)}; fix its options or its file`);
  }
}
