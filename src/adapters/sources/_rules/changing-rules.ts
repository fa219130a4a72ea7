import type { CachedRead } from "../../../domain/evaluation/cached-read.ts";
import type { EvaluationContext } from "../../../domain/evaluation/evaluation-context.ts";
import type { FeatureResolver } from "../../../domain/evaluation/feature-resolver.ts";
import type { SourceResult } from "../../../domain/evaluation/source-result.ts";
import type { Read } from "../_catalogue/source.ts";
import { thenSync } from "../_catalogue/then-sync.ts";

/** Immutable rules that evaluate synchronously. */
type Rules = { evaluate(context: EvaluationContext): SourceResult };

type Field = Exclude<keyof EvaluationContext, "at">;

const always = ["userId", "targetingKey", "locations", "attributes"] as const;

/**
 * A resolver of rules that change: they are polled, or stored. `rulesIn` returns the rules of a read. Results are valid
 * until the rules change. A new version of the rules can read any field, so results vary by the usual fields and by
 * `others`. Rules do not receive fields outside these: clients with different addresses would share no results.
 */
export function changingRules<T>(
  read: () => Read<T>,
  rulesIn: (value: T) => Rules,
  others: readonly Field[],
): Required<Omit<FeatureResolver, "dispose">> {
  const varyBy = [...always, ...others];
  const resultOf = (cached: CachedRead<T>, context: EvaluationContext): SourceResult => {
    const result = rulesIn(cached.value).evaluate(narrowed(context, varyBy));
    return { ...result, dependencies: [cached, ...(result.dependencies ?? [])] };
  };
  return {
    varyBy,
    resolve: (context) => thenSync(read(), (cached) => resultOf(cached, context)),
  };
}

/** A rest pattern would read the other fields. */
function narrowed(context: EvaluationContext, fields: readonly Field[]): EvaluationContext {
  const { at } = context;
  const values = fields.map((field) => [field, context[field]] as const);
  return { at, ...Object.fromEntries(values.filter(([, value]) => value !== undefined)) };
}
