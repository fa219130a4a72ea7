import type { EvaluationContext } from "../../../domain/evaluation/evaluation-context.ts";
import type { FeatureResolver, SourceResult } from "../../../domain/evaluation/feature-resolver.ts";
import type { Polled } from "./latest.ts";

/** Immutable rules that evaluate synchronously. */
type Rules = {
  answer(context: EvaluationContext): SourceResult;
  /** Faults of single features, each with the feature's name. */
  readonly faults: readonly string[];
};

/** Maximum number of faults that are logged and shown to operators. */
const mostFaults = 20;

/** Shortens a list of faults to `mostFaults`, and appends the number of omitted ones. */
export const fewFaults = (faults: readonly string[]): readonly string[] =>
  faults.length <= mostFaults ? faults : [...faults.slice(0, mostFaults), `and ${faults.length - mostFaults} more`];

/**
 * A resolver of polled rules. Results are valid until the rules change. Results vary by all context fields, because a
 * new version of the rules can read any of them. The address is included only with `readsAddress`, because clients with
 * different addresses then share no results.
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

/** Empty before the first document. */
function faultsIn(followed: Polled<Rules>): readonly string[] {
  try {
    return followed.read().value.faults;
  } catch {
    return [];
  }
}
