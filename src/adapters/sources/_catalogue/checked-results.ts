import { isPromiseLike } from "../../../application/evaluation/deadline.ts";
import type { ContextField, EvaluationContext } from "../../../domain/evaluation/evaluation-context.ts";
import type { FeatureResolver } from "../../../domain/evaluation/feature-resolver.ts";
import { checkResult, type SourceResult } from "../../../domain/evaluation/source-result.ts";

/** A resolver from outside the repository. It throws or rejects if a result is invalid. */
export class CheckedResults implements FeatureResolver {
  readonly varyBy?: readonly ContextField[];
  readonly #resolver: FeatureResolver;

  constructor(resolver: FeatureResolver) {
    this.#resolver = resolver;
    if (resolver.varyBy) this.varyBy = resolver.varyBy;
  }

  resolve(context: EvaluationContext): SourceResult | Promise<SourceResult> {
    const result = this.#resolver.resolve(context);
    return isPromiseLike(result) ? Promise.resolve(result).then(checked) : checked(result);
  }

  async dispose(): Promise<void> {
    await this.#resolver.dispose?.();
  }
}

function checked(result: SourceResult): SourceResult {
  checkResult(result);
  return result;
}
