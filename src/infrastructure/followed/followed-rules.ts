import type { EvaluationContext } from "../../domain/evaluation-context.ts";
import type { Answer, FeatureResolver } from "../../domain/feature-resolver.ts";
import type { Followed } from "./latest.ts";

/** Rules that answer at once, and never change. */
type Rules = { answer(context: EvaluationContext): Answer };

/** A source that answers by the latest of rules that others keep; what it said ends when they change them. */
export const followedRules = (followed: Followed<Rules>): FeatureResolver => ({
  resolve: (context) => {
    const held = followed.read();
    return { ...held.value.answer(context), from: [held] };
  },
  [Symbol.asyncDispose]: () => followed[Symbol.asyncDispose](),
});
