import type { EvaluationContext } from "../../domain/evaluation/evaluation-context.ts";
import type { FeatureKey } from "../../domain/evaluation/feature.ts";
import { merge } from "../../domain/evaluation/merge.ts";
import type { Resolution } from "../../domain/evaluation/source-result.ts";
import type { ContextFields } from "./context-fields.ts";
import type { EvaluatedSources, EvaluateSources } from "./evaluate-sources.ts";
import type { Caller, IdentifyCaller, RequestContext } from "./identify-caller.ts";

/** The features that are on for a caller. */
export type EvaluatedFeatures = Omit<EvaluatedSources, "results"> & {
  /** The same map as long as the source results are the same. */
  readonly features: ReadonlyMap<FeatureKey, Resolution>;
  /**
   * Shared slot for the serialized body; `undefined` if not cached. In a WeakMap, each body would be promoted to V8's
   * old generation.
   */
  readonly bodySlot: { body?: unknown } | undefined;
};

/** Evaluation cache: evaluations by the context fields that they depend on. It may evict entries. */
export type EvaluationCache = {
  get(key: string): EvaluatedFeatures | undefined;
  set(key: string, evaluated: EvaluatedFeatures): unknown;
};

/** Evaluates the features that are on for a caller: all sources, merged. */
export class EvaluateFeatures {
  readonly #callers: IdentifyCaller;
  readonly #sources: EvaluateSources;
  readonly #fields: ContextFields;
  readonly #cache: EvaluationCache;

  constructor(callers: IdentifyCaller, sources: EvaluateSources, fields: ContextFields, cache: EvaluationCache) {
    this.#callers = callers;
    this.#sources = sources;
    this.#fields = fields;
    this.#cache = cache;
  }

  /**
   * The cached evaluation of an equal context if it is repeatable, otherwise a new one. Rejects as `IdentifyCaller` and
   * `EvaluateSources` do.
   */
  async evaluate(caller: Caller, request: RequestContext): Promise<EvaluatedFeatures> {
    const { reads, context } = await this.#callers.identify(caller, request);
    const evaluated = this.#cached(context) ?? this.#merged(await this.#sources.evaluate(context), context);
    return reads.length > 0 ? { ...evaluated, freshness: evaluated.freshness.with(reads) } : evaluated;
  }

  #cached(context: EvaluationContext, key = this.#fields.sharedKey(context)): EvaluatedFeatures | undefined {
    const cached = key === undefined ? undefined : this.#cache.get(key);
    return cached?.freshness.isRepeatable(context.at) ? cached : undefined;
  }

  #merged({ results, missing, changesAt, freshness }: EvaluatedSources, context: EvaluationContext): EvaluatedFeatures {
    const key = freshness.isRepeatable(context.at) ? this.#fields.sharedKey(context) : undefined;
    // Many callers may have waited for the same reads.
    const cached = key === undefined ? undefined : this.#cached(context, key);
    if (cached) return cached;
    const bodySlot = key === undefined ? undefined : {};
    const merged = { features: merge(results), missing, changesAt, freshness, bodySlot };
    if (key !== undefined) this.#cache.set(key, merged);
    return merged;
  }
}
