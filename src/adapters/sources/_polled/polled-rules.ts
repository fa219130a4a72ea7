import type { EvaluationContext } from "../../../domain/evaluation/evaluation-context.ts";
import type { FeatureResolver, SourceResult } from "../../../domain/evaluation/feature-resolver.ts";
import type { Polled } from "./latest.ts";

/** Rules that answer at once, and never change. */
type Rules = {
  answer(context: EvaluationContext): SourceResult;
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
export const polledRules = (followed: Polled<Rules>, readsAddress: boolean): FeatureResolver => ({
  varyBy: ["userId", "targetingKey", "locations", "attributes", ...(readsAddress ? (["ip"] as const) : [])],
  resolve: ({ ip, ...context }) => {
    const held = followed.read();
    const asked = ip !== undefined && readsAddress ? { ...context, ip } : context;
    const answer = held.value.answer(asked);
    return { ...answer, dependencies: [held, ...(answer.dependencies ?? [])] };
  },
  faults: () => [
    ...(followed.fault === undefined ? [] : [`not in use: ${followed.fault}`]),
    ...fewFaults(faultsIn(followed)),
  ],
  [Symbol.asyncDispose]: () => followed[Symbol.asyncDispose](),
});

/** None before the first document. */
function faultsIn(followed: Polled<Rules>): readonly string[] {
  try {
    return followed.read().value.faults;
  } catch {
    return [];
  }
}
