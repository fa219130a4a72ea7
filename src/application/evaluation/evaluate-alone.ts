import type { EvaluationContext } from "../../domain/evaluation/evaluation-context.ts";
import type { Source } from "../../domain/evaluation/source.ts";
import type { SourceResult } from "../../domain/evaluation/source-result.ts";
import { withDeadline } from "../async/deadline.ts";

/**
 * Evaluates one source by itself. Returns synchronously if the source does, as it mostly does from the cache. Throws or
 * rejects if the source fails or exceeds its timeout.
 */
export const evaluateAlone = (source: Source, context: EvaluationContext): SourceResult | Promise<SourceResult> =>
  withDeadline(source.timeoutMs, () => source.resolver.resolve(context));
