import { LRUCache } from "lru-cache";
import { CallContext } from "../../adapters/http/client/call-context.ts";
import { readKey } from "../../application/admin/read-key.ts";
import { awaitSources, type Background } from "../../application/evaluation/await-sources.ts";
import { ContextFields } from "../../application/evaluation/context-fields.ts";
import { type EvaluatedFeatures, EvaluateFeatures } from "../../application/evaluation/evaluate-features.ts";
import { EvaluateFlags } from "../../application/evaluation/evaluate-flags.ts";
import { type EvaluatedSources, EvaluateSources } from "../../application/evaluation/evaluate-sources.ts";
import { IdentifyCaller } from "../../application/evaluation/identify-caller.ts";
import { KnownFeatures } from "../../application/evaluation/known-features.ts";
import { LocateCaller } from "../../application/evaluation/locate-caller.ts";
import { SourceStates } from "../../application/evaluation/source-states.ts";
import { WatchEvaluations } from "../../application/streams/watch-evaluations.ts";
import { uncachedRead } from "../../domain/evaluation/cached-read.ts";
import type { ContextField } from "../../domain/evaluation/evaluation-context.ts";
import { CachedFeatureRegister } from "../../infrastructure/cache/cached-feature-register.ts";
import { registerKey } from "../../infrastructure/stores/store-keys.ts";
import { lazy, once } from "./lazy.ts";
import { createSource } from "./sources/create-source.ts";
import type { Stores } from "./stores.ts";
import { causeText, named, type Wiring } from "./wiring.ts";

export type Evaluation = ReturnType<typeof evaluationOf>;

/**
 * Limit for cached features in all evaluations. Enough for results that thousands of users share, not for one per user.
 */
const maxFeatures = 20_000;
/** Limit for cached source results. Enough for the callers that a server evaluates flag after flag for. */
const maxSourceResults = 1_000;

/** Evaluation: the sources, the identification of callers, and the features that are on for them. */
export function evaluationOf(wiring: Wiring, stores: Stores) {
  const { config, now } = wiring;

  const background: Background[] = [];

  const services = { background, addFields: (fields: readonly ContextField[]) => contextFields().add(fields) };
  const sources = once(() => config.sources.map((source) => createSource(source, wiring, stores, services)));

  const sourceStates = once(() => {
    const { log } = wiring;
    return new SourceStates(
      {
        failed: (source, cause) => log.error({ source, cause: causeText(cause) }, "source failed"),
        recovered: (source) => log.info({ source }, "source recovered"),
        foundInvalid: (source, cause) => log.error({ source, cause: causeText(cause) }, "source read invalid data"),
      },
      now,
    );
  });

  const locateCaller = once(() => new LocateCaller(config.locators.map((make) => make(stores.cachedSetsOf))));

  const unknownToken = () => uncachedRead<undefined>(undefined, now());
  /** Without a store of tokens, all tokens are unknown. */
  const tokenResolver = once(
    () => stores.tokens?.resolver ?? { keyOf: String, resolve: unknownToken, resolveKey: unknownToken },
  );

  const identifyCaller = once(() => new IdentifyCaller(tokenResolver(), locateCaller(), sourceStates(), now));

  const contextFields = once(() => new ContextFields(sources()));

  const evaluateSources = once(() => new EvaluateSources(sources(), sourceStates()));

  /** The connection of the first source that operators can change. It also stores descriptions and known features. */
  const firstConnection = once(() => {
    const [first] = [
      ...sources().flatMap(({ editableSet }) => editableSet ?? []),
      ...sources().flatMap(({ editableRules }) => editableRules ?? []),
    ];
    return first?.connection;
  });

  /** `undefined` if there is no such connection. */
  const featureRegister = once(() => {
    const name = firstConnection();
    if (name === undefined) return undefined;
    const { register } = stores.connectionOf(name);
    return new CachedFeatureRegister(register, registerKey, stores.invalidationFeedOf(name), stores.featureLimits, now);
  });

  return lazy({
    /** Work of the sources that begins once the service serves clients. */
    background: () => background,
    sources,
    awaitSources: () => {
      const remote = sources().filter(({ editableSet, editableRules }) => !editableSet && !editableRules);
      return awaitSources(remote, background, now);
    },
    sourceStates,
    tokenResolver,
    locateCaller,
    identifyCaller,
    contextFields,
    callContext: () => new CallContext(config.context, locateCaller(), contextFields()),
    evaluateFeatures: () => {
      const cache = new LRUCache<string, EvaluatedFeatures>({
        maxSize: maxFeatures,
        sizeCalculation: ({ features }) => features.size + 1,
      });
      return new EvaluateFeatures(identifyCaller(), evaluateSources(), contextFields(), cache);
    },
    evaluateFlags: () => {
      const failed = (cause: unknown) => wiring.log.warn({ cause: causeText(cause) }, "cannot register known features");
      const cache = new LRUCache<string, EvaluatedSources>({ max: maxSourceResults });
      const known = new KnownFeatures(featureRegister(), failed);
      return new EvaluateFlags(identifyCaller(), evaluateSources(), contextFields(), cache, known);
    },
    watchEvaluations: () => {
      const failed = (cause: unknown) =>
        wiring.log.error({ cause: causeText(cause) }, "evaluation for a stream failed");
      return new WatchEvaluations(stores.invalidationFeeds.values(), now, failed);
    },
    firstConnection,
    featureRegister,
    readKey: () => {
      const { cachedValues } = stores;
      const readable = config.proxied.map(({ prefix, connection }) => {
        return { prefix, connection, values: named(cachedValues, connection) };
      });
      return readKey(readable, now);
    },
  });
}
