import type { EvaluationContext } from "../../domain/evaluation/evaluation-context.ts";
import type { SourceFeatures } from "../../domain/evaluation/merge.ts";
import type { Source } from "../../domain/evaluation/source.ts";
import { checkFeatures, type SourceResult } from "../../domain/evaluation/source-result.ts";
import { withDeadline } from "./deadline.ts";

/** Evaluation of one source. */
export type SourceEvaluation = SourceFeatures & { readonly result: SourceResult };

/**
 * Evaluates a source. Returns synchronously if the source does, as it mostly does from the cache. Throws or rejects if
 * the source fails, exceeds its timeout, or returns an invalid result.
 */
export function evaluateSource(
  source: Source,
  context: EvaluationContext,
): SourceEvaluation | Promise<SourceEvaluation> {
  const answer = withDeadline(source.timeoutMs, () => source.resolver.resolve(context));
  return answer instanceof Promise ? answer.then((late) => checkedResult(source, late)) : checkedResult(source, answer);
}

/** Throws if the result is invalid. */
function checkedResult(source: Source, answer: SourceResult): SourceEvaluation {
  if (!(answer?.features instanceof Map)) throw new Error("the source returned no Map of features");
  checkFeatures(answer.features);
  return { source: source, features: answer.features, result: answer };
}
