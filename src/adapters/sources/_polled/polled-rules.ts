import type { CachedRead } from "../../../domain/evaluation/cached-read.ts";
import type { EvaluationContext } from "../../../domain/evaluation/evaluation-context.ts";
import type { FeatureResolver } from "../../../domain/evaluation/feature-resolver.ts";
import type { SourceResult } from "../../../domain/evaluation/source-result.ts";

/** Immutable rules that evaluate synchronously. */
type Rules = { answer(context: EvaluationContext): SourceResult };

/**
 * A resolver of polled rules. Results are valid until the rules change. Results vary by all context fields, because a
 * new version of the rules can read any of them. The address is included only with `readsAddress`, because clients with
 * different addresses then share no results.
 */
export const polledRules = (
  read: () => CachedRead<Rules>,
  readsAddress: boolean,
): Required<Omit<FeatureResolver, "dispose">> => ({
  varyBy: [
    "userId",
    "targetingKey",
    "claimedUserId",
    "locations",
    "attributes",
    ...(readsAddress ? (["ip"] as const) : []),
  ],
  resolve: (context) => {
    const held = read();
    const answer = held.value.answer(readsAddress ? context : withoutAddress(context));
    return { ...answer, dependencies: [held, ...(answer.dependencies ?? [])] };
  },
});

/** A rest pattern would read the address. */
const withoutAddress = ({
  at,
  userId,
  targetingKey,
  claimedUserId,
  locations,
  attributes,
}: EvaluationContext): EvaluationContext => ({
  at,
  ...(userId !== undefined && { userId }),
  ...(targetingKey !== undefined && { targetingKey }),
  ...(claimedUserId !== undefined && { claimedUserId }),
  ...(locations && { locations }),
  ...(attributes && { attributes }),
});
