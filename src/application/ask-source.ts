import type { EvaluationContext } from "../domain/evaluation-context.ts";
import { type Answer, checkFeatures } from "../domain/feature-resolver.ts";
import type { Say } from "../domain/merge.ts";
import type { Source } from "../domain/source.ts";
import { within } from "./deadline.ts";

/** What a source said. */
export type Heard = Say & { readonly answer: Answer };

/**
 * Asks a source. Answers in the same turn where the source does: most often all that is asked for is remembered. Throws or rejects
 * when it cannot tell, takes too long, or answers with what is no answer.
 */
export function askSource(source: Source, context: EvaluationContext): Heard | Promise<Heard> {
  const answer = within(source.timeoutMs, () => source.resolver.resolve(context));
  return answer instanceof Promise ? answer.then((late) => heard(source, late)) : heard(source, answer);
}

/** Throws where the answer is none. */
function heard(source: Source, answer: Answer): Heard {
  if (!(answer?.features instanceof Map)) throw new Error("the source answered without a Map of features");
  checkFeatures(answer.features);
  return { rule: source, features: answer.features, answer };
}
