import type { EvaluatedFlag, EvaluatedFlags } from "../../../application/evaluation/evaluate-flags.ts";
import { type Instant, instantText } from "../../../domain/evaluation/evaluation-context.ts";
import type { Flag } from "../../../domain/evaluation/flag.ts";

/** A flag as OFREP has it. An absent value is omitted, because clients take null for a type error. */
export const flagJson = ({ key, value, variant, reason, source }: Flag) => ({
  key,
  ...(value === undefined ? {} : { value }),
  ...(variant === undefined ? {} : { variant }),
  reason,
  ...(source === undefined ? {} : { metadata: { source } }),
});

/** The body of a bulk response. It has no age, so that it and its ETag are the same on all instances. */
export function flagsJson(evaluated: EvaluatedFlags, now: Instant) {
  const metadata = metadataOf(evaluated, now);
  return {
    flags: evaluated.flags.map(flagJson),
    ...(Object.keys(metadata).length > 0 && { metadata }),
  };
}

/** Metadata of an evaluation: its next change, and whether it is stale or incomplete. */
export const metadataOf = (
  { changesAt, missing, freshness }: Omit<EvaluatedFlag, "flag">,
  now: Instant,
): Readonly<Record<string, string | boolean>> => ({
  ...(changesAt !== undefined && { nextChangeAt: instantText(changesAt) }),
  ...(freshness.isStale(now) && { stale: true }),
  ...(missing.length > 0 && { missing: missing.join(" ") }),
});
