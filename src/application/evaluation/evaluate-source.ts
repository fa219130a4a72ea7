import type { EvaluationContext } from "../../domain/evaluation/evaluation-context.ts";
import { checkFeatures, type SourceResult } from "../../domain/evaluation/feature-resolver.ts";
import type { SourceFeatures } from "../../domain/evaluation/merge.ts";
import type { Source } from "../../domain/evaluation/source.ts";
import { withDeadline } from "./deadline.ts";

/** What a source said. */
export type SourceEvaluation = SourceFeatures & { readonly result: SourceResult };

/**
 * Asks a source. Answers in the same turn where the source does: most often all that is asked for is remembered. Throws or rejects
 * when it cannot tell, takes too long, or answers with what is no answer.
 */
export function evaluateSource(
  source: Source,
  context: EvaluationContext,
): SourceEvaluation | Promise<SourceEvaluation> {
  const answer = withDeadline(source.timeoutMs, () => source.resolver.resolve(context));
  return answer instanceof Promise ? answer.then((late) => checkedResult(source, late)) : checkedResult(source, answer);
}

/** Throws where the answer is none. */
function checkedResult(source: Source, answer: SourceResult): SourceEvaluation {
  if (!(answer?.features instanceof Map)) throw new Error("the source answered without a Map of features");
  checkFeatures(answer.features);
  return { source: source, features: answer.features, result: answer };
}
