import type { EvaluationContext } from "../../domain/evaluation/evaluation-context.ts";
import type { SourceFeatures } from "../../domain/evaluation/merge.ts";
import type { Source } from "../../domain/evaluation/source.ts";
import type { SourceResult } from "../../domain/evaluation/source-result.ts";
import { withDeadline } from "../async/deadline.ts";

/** Evaluation of one source. */
export type SourceEvaluation = SourceFeatures & { readonly result: SourceResult };

/**
 * Evaluates a source. Returns synchronously if the source does, as it mostly does from the cache. Throws or rejects if
 * the source fails or exceeds its timeout.
 */
export function evaluateSource(
  source: Source,
  context: EvaluationContext,
): SourceEvaluation | Promise<SourceEvaluation> {
  const answer = withDeadline(source.timeoutMs, () => source.resolver.resolve(context));
  return answer instanceof Promise ? answer.then((late) => evaluationOf(source, late)) : evaluationOf(source, answer);
}

const evaluationOf = (source: Source, result: SourceResult): SourceEvaluation => ({
  source,
  features: result.features,
  result,
});
