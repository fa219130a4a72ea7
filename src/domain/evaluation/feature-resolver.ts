import type { EditableRules } from "../admin/editable-rules.ts";
import type { EditableSet } from "../admin/editable-set.ts";
import type { FeedItems } from "../feeds/feed-items.ts";
import type { CachedRead } from "./cached-read.ts";
import type { ContextField, EvaluationContext, Instant } from "./evaluation-context.ts";
import { type FeatureKey, isServedKey, type Resolution } from "./feature.ts";

/** What a source says: a resolution for each feature it knows, and how long that holds. */
export type SourceResult = {
  /** Not changed any more. A source that says the same again answers the same map, which is compared and checked faster. */
  readonly features: ReadonlyMap<FeatureKey, Resolution>;
  /** The reads that the answer was made from; it holds no longer than they are current. */
  readonly dependencies?: readonly CachedRead<unknown>[];
  /**
   * The instant at which the answer becomes another by itself, as far as is known: clients are told it. `Infinity` where it never does. Left
   * out where that is not known: then it is asked again after a second.
   */
  readonly validUntil?: Instant;
};

/** The answer of a source that has nothing to say to this context, for lack of a field; at no time will it have. */
export const emptyResult: SourceResult = { features: new Map(), validUntil: Number.POSITIVE_INFINITY };

const checked = new WeakSet<SourceResult["features"]>();

/**
 * Throws where an answer has what are no features and resolutions: a source from outside the repository may answer anything. A map is
 * looked through once. Who prepares one that has ten thousand has that done before anybody waits for it.
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
 * Port: what a source says for an evaluation context.
 *
 * The answer is a function of the context and of the source's own state; asking changes neither.
 * A feature the source does not know is left out, and a source whose fields the context lacks says
 * nothing. A source that cannot tell rejects (or throws); it never answers with less than it knows.
 * It answers synchronously when it can. One that holds something open can be
 * disposed of; it is not asked any more then.
 */
export interface FeatureResolver extends Partial<AsyncDisposable> {
  resolve(context: EvaluationContext): SourceResult | Promise<SourceResult>;
  /**
   * The fields of the context that its answers follow from: who agrees in these gets the same answer without it being asked. Left out,
   * all. Time is none of them; an answer says how long it holds.
   */
  readonly varyBy?: readonly ContextField[];
  /** The sets it reads, where it reads sets that people may change. */
  readonly editableSet?: EditableSet;
  /** What it keeps of single features, where it keeps something that people may change. */
  readonly editableRules?: EditableRules;
  /** The items of a partner that its answers follow from. */
  readonly items?: FeedItems;
  /**
   * The faults of what it evaluates, for operators: a document that cannot be read, and single features that cannot be evaluated and are
   * off. Each names its feature. Left out by sources that evaluate nothing which others write.
   */
  readonly faults?: () => readonly string[];
}
