import type { EvaluationContext } from "../../domain/evaluation-context.ts";
import type { Answer, FeatureResolver } from "../../domain/feature-resolver.ts";
import type { Followed } from "./latest.ts";

/** Rules that answer at once, and never change. */
type Rules = {
  answer(context: EvaluationContext): Answer;
  /** Of single features, each with the name of its feature. */
  readonly faults: readonly string[];
};

/** The most faults that are logged, and shown to operators. */
const mostFaults = 20;

/** A list of faults that is not too long for a log; of a longer one, its beginning and how many follow. */
export const fewFaults = (faults: readonly string[]): readonly string[] =>
  faults.length <= mostFaults ? faults : [...faults.slice(0, mostFaults), `and ${faults.length - mostFaults} more`];

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
  faults: () => [
    ...(followed.fault === undefined ? [] : [`not in use: ${followed.fault}`]),
    ...fewFaults(faultsIn(followed)),
  ],
  [Symbol.asyncDispose]: () => followed[Symbol.asyncDispose](),
});

/** None before the first document. */
function faultsIn(followed: Followed<Rules>): readonly string[] {
  try {
    return followed.read().value.faults;
  } catch {
    return [];
  }
}
