import { LRUCache } from "lru-cache";
import { CallContext } from "../../adapters/http/client/call-context.ts";
import { AwaitSources } from "../../application/evaluation/await-sources.ts";
import { CheckReadiness } from "../../application/evaluation/check-readiness.ts";
import { ContextFields } from "../../application/evaluation/context-fields.ts";
import { EvaluateFeatures, type Evaluation } from "../../application/evaluation/evaluate-features.ts";
import { IdentifyCaller } from "../../application/evaluation/identify-caller.ts";
import { LocateCaller } from "../../application/evaluation/locate-caller.ts";
import { SourceStates } from "../../application/evaluation/source-states.ts";
import { type NamedFeed, SearchItems } from "../../application/feeds/search-items.ts";
import { ViewFeedItems } from "../../application/feeds/view-feed-items.ts";
import type { Source } from "../../domain/evaluation/source.ts";
import { SetupFailed } from "../../infrastructure/setup-failed.ts";
import { DiKeys } from "./di-keys.ts";
import { causeText, named, type Wiring } from "./wiring.ts";

/** Provides the sources, the identification of users and the evaluation for clients. */
export function provideSources({ config, disposal, provide }: Wiring): void {
  provide(DiKeys.Background, () => []);

  provide(DiKeys.Sources, (c) => {
    const log = c.resolve(DiKeys.Log);
    const store = (connection: string) => named(c.resolve(DiKeys.Stores), connection);
    const background = c.resolve(DiKeys.Background);
    return config.sources.map(({ create, kind, isReplayable: _, rule: __, ...source }) => {
      const warn = (fields: Record<string, unknown>, sentence: string) =>
        log.warn({ source: source.name, ...fields }, sentence);
      const onServing = (begin: () => void) => void background.push({ source: source.name, begin });
      try {
        const resolver = create({ name: source.name, store, onServing, warn });
        disposal.defer(async () => resolver[Symbol.asyncDispose]?.());
        return { ...source, resolver };
      } catch (cause) {
        throw new SetupFailed(
          `the source "${source.name}" (${kind}) cannot be made: ${causeText(cause)}; mend its options or its file`,
        );
      }
    });
  });

  provide(DiKeys.AwaitSources, (c) => {
    const sources = c.resolve(DiKeys.Sources);
    return new AwaitSources(sources, c.resolve(DiKeys.Background), c.resolve(DiKeys.Clock));
  });

  provide(DiKeys.SourceStates, (c) => {
    const log = c.resolve(DiKeys.Log);
    return new SourceStates(
      {
        failed: (source, cause) => log.error({ source, cause: causeText(cause) }, "source failed"),
        recovered: (source) => log.info({ source }, "source answers again"),
        foundInvalid: (source, cause) => log.error({ source, cause: causeText(cause) }, "source found invalid data"),
      },
      c.resolve(DiKeys.Clock),
    );
  });

  provide(DiKeys.LocateCaller, (c) => {
    const setsOf = (connection: string) => named(c.resolve(DiKeys.Stores), connection).sets;
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

  provide(DiKeys.CallContext, (c) => {
    const reads = new ContextFields(c.resolve(DiKeys.Sources));
    return new CallContext(config.context, c.resolve(DiKeys.LocateCaller), reads);
  });

  provide(
    DiKeys.EvaluateFeatures,
    (c) =>
      new EvaluateFeatures(
        c.resolve(DiKeys.IdentifyCaller),
        c.resolve(DiKeys.Sources),
        c.resolve(DiKeys.SourceStates),
        saidBefore(),
      ),
  );

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
const mostKept = 100_000;

const saidBefore = () =>
  new LRUCache<string, Evaluation>({ maxSize: mostKept, sizeCalculation: ({ features }) => features.size + 1 });

const providersIn = (sources: readonly Source[]): readonly NamedFeed[] =>
  sources.flatMap(({ name, resolver: { items } }) => (items ? [{ name, items }] : []));
