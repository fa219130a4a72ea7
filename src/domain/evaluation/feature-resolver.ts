import type { ContextField, EvaluationContext } from "./evaluation-context.ts";
import type { SourceResult } from "./source-result.ts";

/**
 * Feature resolver: evaluates a source for a context.
 *
 * The result is a function of the context and of the source's own state. Evaluating changes neither. A source omits
 * features that it does not list, and returns an empty result if the context lacks its fields. It rejects or throws if
 * it cannot evaluate; it never returns a partial result. It returns synchronously if it can.
 */
export interface FeatureResolver {
  resolve(context: EvaluationContext): SourceResult | Promise<SourceResult>;
  /**
   * The context fields that the result depends on: equal fields give an equal result, which may be cached. Omitted: all
   * fields. Time is not a field; `validUntil` covers it.
   */
  readonly varyBy?: readonly ContextField[];
  /**
   * Closes what the resolver opened; `resolve` is not called afterwards. A plain method, not `Symbol.asyncDispose`:
   * most resolvers open nothing, `await using` rejects an object without the symbol, and a source may be JavaScript.
   */
  dispose?(): void | Promise<void>;
}
