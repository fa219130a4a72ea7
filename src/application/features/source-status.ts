import type { ManagedSource } from "../../domain/admin/managed-source.ts";
import { errorMessage } from "../../domain/error-message.ts";
import type { CachedRead } from "../../domain/evaluation/cached-read.ts";
import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import { evaluateAlone } from "../evaluation/evaluate-alone.ts";
import { Freshness, faultOf } from "../evaluation/freshness.ts";

/** The state of a source when it was listed. `skipped`: it is unavailable, and evaluations omit it. */
export type SourceStatus = {
  readonly state: "evaluated" | "unavailable" | "skipped";
  /** The latest instant for which its reads are verified; absent if it read nothing. */
  readonly asOf?: Instant;
  /** Whether cached values replaced reads that are too old or failed. */
  readonly stale: boolean;
  /** The error of the source, or of the read that a cached value replaced. */
  readonly error?: string;
};

/** The status of an evaluation with these reads, and with the fault of one. */
export function evaluatedStatus(reads: readonly CachedRead<unknown>[], fault: unknown, at: Instant): SourceStatus {
  const freshness = new Freshness(reads, Number.POSITIVE_INFINITY);
  return {
    state: "evaluated",
    stale: fault !== undefined || freshness.isStale(at),
    ...(reads.length > 0 && { asOf: freshness.verifiedAt(at) }),
    ...(fault !== undefined && { error: errorMessage(fault) }),
  };
}

/** The status after a failed evaluation. */
export const failedStatus = ({ onFailure }: ManagedSource, failure: unknown): SourceStatus => ({
  state: onFailure === "skip" ? "skipped" : "unavailable",
  stale: false,
  error: errorMessage(failure),
});

/** The status of a source at a time, by an evaluation for an empty context. Never rejects. */
export async function statusOf(source: ManagedSource, at: Instant): Promise<SourceStatus> {
  try {
    const { dependencies: reads = [] } = await evaluateAlone(source, { at });
    return evaluatedStatus(reads, faultOf(reads, at), at);
  } catch (failure) {
    return failedStatus(source, failure);
  }
}
