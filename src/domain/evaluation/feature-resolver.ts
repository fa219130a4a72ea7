import type { EditableRules } from "../admin/editable-rules.ts";
import type { EditableSet } from "../admin/editable-set.ts";
import type { FeedItems } from "../feeds/feed-items.ts";
import type { CachedRead } from "./cached-read.ts";
import type { ContextField, EvaluationContext, Instant } from "./evaluation-context.ts";
import { type FeatureKey, isServedKey, type Resolution } from "./feature.ts";

/** Source result: a resolution for each feature that the source lists, and its validity. */
export type SourceResult = {
  /**
   * Immutable. A source whose result is the same again should return the same map: comparing and checking it is faster.
   */
  readonly features: ReadonlyMap<FeatureKey, Resolution>;
  /** The reads behind the result. The result is valid only while all of them are current. */
  readonly dependencies?: readonly CachedRead<unknown>[];
  /**
   * The instant at which the result changes by itself, as far as is known; clients receive it. `Infinity` if never.
   * Omitted if not known: then the result is valid for a second.
   */
  readonly validUntil?: Instant;
};

/** The result of a source whose context fields are missing. It never changes by itself. */
export const emptyResult: SourceResult = { features: new Map(), validUntil: Number.POSITIVE_INFINITY };

const checked = new WeakSet<SourceResult["features"]>();

/**
 * Throws if a source returns invalid features or resolutions; sources from outside the repository may return anything.
 * Checks each map once. Call it in advance for a map of ten thousand features, so that no request waits for it.
 */
export function checkFeatures(features: SourceResult["features"]): void {
  if (checked.has(features)) return;
  for (const [feature, resolution] of features) {
    if (!isServedKey(feature) || typeof resolution?.on !== "boolean") {
      throw new Error(`the source answered with no feature and resolution: ${JSON.stringify(feature)}`);
    }
  }
  checked.add(features);
}

/**
 * Feature resolver: evaluates a source for a context.
 *
 * The result is a function of the context and of the source's own state. Evaluating changes neither. A source omits
 * features that it does not list, and returns an empty result if the context lacks its fields. It rejects or throws if
 * it cannot evaluate; it never returns a partial result. It returns synchronously if it can. A resolver that holds
 * resources is disposable, and is not called afterwards.
 */
export interface FeatureResolver extends Partial<AsyncDisposable> {
  resolve(context: EvaluationContext): SourceResult | Promise<SourceResult>;
  /**
   * The context fields that the result depends on: equal fields give an equal result, which may be cached. Omitted: all
   * fields. Time is not a field; `validUntil` covers it.
   */
  readonly varyBy?: readonly ContextField[];
  /** The sets that it reads, if operators may change them. */
  readonly editableSet?: EditableSet;
  /** The rules of single features that it reads, if operators may change them. */
  readonly editableRules?: EditableRules;
  /** The items of a feed that its results depend on. */
  readonly items?: FeedItems;
  /**
   * The faults in its data, for operators: a document that cannot be read, or features that cannot be evaluated and are
   * off. Each fault names its feature. Omitted by sources without data that others write.
   */
  readonly faults?: () => readonly string[];
}
