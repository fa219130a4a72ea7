import { errorMessage } from "../../domain/error-message.ts";
import type { CachedRead } from "../../domain/evaluation/cached-read.ts";
import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import { Freshness, faultOf } from "../evaluation/freshness.ts";
import type { Caller } from "../evaluation/identify-caller.ts";
import { type EachSource, missingHistoryOf, type SetRead, type SourceAttempt } from "./evaluate-each-source.ts";
import type { ExplainedContext, ExplainedSource, ReadFreshness } from "./explained.ts";

/** The context of an evaluation, and the state of each source. `sets` are the sets that each source reads for it. */
export function explainedContext(
  each: EachSource,
  caller: Caller,
  sets: readonly (readonly SetRead[])[],
): ExplainedContext {
  const { attempts, context, located, evaluatedAt, isPast, identity } = each;
  return {
    context,
    ...(located ? { locatedBy: located.by } : {}),
    isPast,
    ...(identity?.value !== undefined && caller && "token" in caller
      ? { identity: { ...freshnessOf([identity], evaluatedAt), userId: identity.value } }
      : {}),
    sources: attempts.map((attempt, index) => sourceOf(attempt, sets[index] ?? [], each)),
  };
}

function sourceOf(
  attempt: SourceAttempt,
  sets: readonly SetRead[],
  { evaluatedAt, isPast, context }: EachSource,
): ExplainedSource {
  const { name, role, gatedBy, default: byDefault, onFailure, editableRules: rules } = attempt.source;
  const stored = rules && { store: rules.connection, collection: rules.collection };
  const declared = { name, role, gatedBy, default: byDefault, sets, ...(stored && { rules: stored }) };
  if ("failure" in attempt) {
    const [missing] = missingHistoryOf([attempt]);
    if (missing) {
      const { from } = missing;
      return { ...declared, state: "no-history", ...(from === undefined ? {} : { historyFrom: from }) };
    }
    return {
      ...declared,
      state: onFailure === "skip" ? "skipped" : "unavailable",
      error: errorMessage(attempt.failure),
    };
  }
  const reads = attempt.result.dependencies ?? [];
  const now = isPast ? context.at : evaluatedAt;
  const fault = faultOf(reads, now);
  return {
    ...declared,
    state: "evaluated",
    ...(fault === undefined ? {} : { error: errorMessage(fault) }),
    ...(reads.length > 0 ? { freshness: freshnessOf(reads, now) } : {}),
  };
}

function freshnessOf(reads: readonly CachedRead<unknown>[], now: Instant): ReadFreshness {
  const freshness = new Freshness(reads, Number.POSITIVE_INFINITY);
  return { asOf: freshness.verifiedAt(now), fresh: !freshness.isStale(now) };
}
