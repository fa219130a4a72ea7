import type { EvaluationContext } from "../../domain/evaluation-context.ts";
import type { Answer, FeatureResolver } from "../../domain/feature-resolver.ts";
import type { Followed } from "./latest.ts";

/** Rules that answer at once, and never change. */
type Rules = { answer(context: EvaluationContext): Answer };

/**
 * A source that answers by the latest of rules that others keep; what it said ends when they change them. They may come to read any
 * field; the address only with `readsAddress`, for then nobody shares an answer with another address.
 */
export const followedRules = (followed: Followed<Rules>, readsAddress: boolean): FeatureResolver => ({
  reads: ["userId", "targetingKey", "locations", "attributes", ...(readsAddress ? (["ip"] as const) : [])],
  resolve: ({ ip, ...context }) => {
    const held = followed.read();
    const asked = ip !== undefined && readsAddress ? { ...context, ip } : context;
    const answer = held.value.answer(asked);
    return { ...answer, from: [held, ...(answer.from ?? [])] };
  },
  [Symbol.asyncDispose]: () => followed[Symbol.asyncDispose](),
});
