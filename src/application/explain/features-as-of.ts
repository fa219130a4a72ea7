import { HistoryUnavailable, SourceUnavailable } from "../../domain/errors.ts";
import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import type { FeatureKey } from "../../domain/evaluation/feature.ts";
import { explain, knownFeatures } from "../../domain/explain/explanation.ts";
import type { Caller, RequestContext } from "../evaluation/identify-caller.ts";
import { type EvaluateEachSource, missingHistoryOf, outcomesOf } from "./evaluate-each-source.ts";

/** The features that are on at another time. */
export type PastFeatures = {
  readonly features: ReadonlySet<FeatureKey>;
  /** Whether the result comes from the recorded history. */
  readonly isPast: boolean;
  /** The sources without history at that time. Features whose state depends on them are omitted. */
  readonly missing: readonly string[];
};

/**
 * Evaluates the features of a caller at another time than now. Rejects as `evaluateEachSource` does, with
 * `HistoryUnavailable`, which names the sources without history, if they leave all features undetermined, and with
 * `SourceUnavailable` if a source fails, even one with `onFailure: skip`.
 */
export const featuresAsOf =
  (evaluate: EvaluateEachSource) =>
  async (caller: Caller, requestContext: RequestContext, at: Instant): Promise<PastFeatures> => {
    const { attempts, isPast } = await evaluate(caller, requestContext, at);
    const missingHistory = missingHistoryOf(attempts);
    const missing = missingHistory.map(({ name }) => name);
    for (const each of attempts) {
      if ("failure" in each && !missing.includes(each.source.name)) {
        throw new SourceUnavailable(each.source.name, each.failure);
      }
    }
    const outcomes = outcomesOf(attempts);
    const explained = [...knownFeatures(outcomes)].map((feature) => explain(feature, outcomes));
    if (missing.length > 0 && explained.every(({ on }) => on === undefined))
      throw new HistoryUnavailable(missingHistory);
    const features = explained.filter(({ on }) => on).map(({ feature }) => feature);
    return { features: new Set(features), isPast, missing };
  };

export type FeaturesAsOf = ReturnType<typeof featuresAsOf>;
