import { isPromiseLike } from "../../../application/async/deadline.ts";
import type { FeatureResolver } from "../../../domain/evaluation/feature-resolver.ts";
import { checkResult, type SourceResult } from "../../../domain/evaluation/source-result.ts";

/** A resolver from outside the repository. It throws or rejects if a result is invalid. */
export const checkedResults = (resolver: FeatureResolver): FeatureResolver => ({
  ...(resolver.varyBy && { varyBy: resolver.varyBy }),
  resolve: (context) => {
    const result = resolver.resolve(context);
    return isPromiseLike(result) ? Promise.resolve(result).then(checked) : checked(result);
  },
  dispose: async () => resolver.dispose?.(),
});

function checked(result: SourceResult): SourceResult {
  checkResult(result);
  return result;
}
