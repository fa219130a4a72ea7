import type { ManagedSource } from "../../domain/admin/managed-source.ts";
import { EventLogUnavailable, HistoryUnavailable, type MissingHistory } from "../../domain/errors.ts";
import type { CachedRead } from "../../domain/evaluation/cached-read.ts";
import type { EvaluationContext, Instant, UserId } from "../../domain/evaluation/evaluation-context.ts";
import type { SourceResult } from "../../domain/evaluation/source-result.ts";
import type { SourceOutcome } from "../../domain/explain/explanation.ts";
import { evaluateAlone } from "../evaluation/evaluate-alone.ts";
import {
  type Caller,
  type IdentifyCaller,
  type RequestContext,
  storedLocationsSource,
} from "../evaluation/identify-caller.ts";
import type { LocateCaller, Located } from "../evaluation/locate-caller.ts";

/** A source, with its result or its error. */
export type SourceAttempt = { readonly source: ManagedSource } & (
  | { readonly result: SourceResult }
  | { readonly failure: unknown }
);

/** The evaluation of each source at one time. */
export type EachSource = {
  readonly context: EvaluationContext;
  /** The locator match behind the location. */
  readonly located?: Located;
  /** When the sources were evaluated. */
  readonly evaluatedAt: Instant;
  /** Whether the result comes from the recorded history; otherwise it is that of the present stores, at that time. */
  readonly isPast: boolean;
  /** The read of the token. */
  readonly identity?: CachedRead<UserId | undefined>;
  readonly attempts: readonly SourceAttempt[];
};

/**
 * Evaluates every source, for now or for another time, and collects the errors instead of failing. A past time uses the
 * stores and the clock of that time; a future one only the clock. Tokens and the configuration are always the present
 * ones. Rejects as `IdentifyCaller` does, and with `EventLogUnavailable` if the log does not respond.
 *
 * `storesAt`: the time of the stores, if it is another one than that of the context.
 *
 * `past` returns the sources on the history of a time. A source without history rejects with `HistoryUnavailable`.
 * `locateAt` locates callers at a past time; without it, their present location counts.
 */
export const evaluateEachSource =
  (
    callers: IdentifyCaller,
    present: readonly ManagedSource[],
    past: (at: Instant) => readonly ManagedSource[],
    now: () => Instant,
    locateAt?: (at: Instant) => LocateCaller,
  ) =>
  async (
    caller: Caller,
    requestContext: RequestContext,
    at?: Instant,
    storesAt: Instant | undefined = at,
  ): Promise<EachSource> => {
    const askedAt = now();
    const isPast = at !== undefined && at < askedAt;
    const hasPastStores = storesAt !== undefined && storesAt < askedAt;
    const locateThen = isPast ? locateAt?.(at) : undefined;
    const identified = await callers.identify(caller, requestContext, at, locateThen);
    const { context, located, identity, isLocationUnknown = false } = identified;
    const evaluatedAt = now();
    const sources = hasPastStores ? past(storesAt) : present;
    try {
      const attempts = await Promise.all(sources.map((source) => attempt(source, context, isLocationUnknown)));
      for (const each of attempts)
        if ("failure" in each && each.failure instanceof EventLogUnavailable) throw each.failure;
      return { context, ...(located && { located }), evaluatedAt, isPast, ...(identity && { identity }), attempts };
    } finally {
      if (hasPastStores) await Promise.all(sources.map(({ resolver }) => resolver.dispose?.()));
    }
  };

export type EvaluateEachSource = ReturnType<typeof evaluateEachSource>;

/** The outcomes for the explanation of single features. */
export const outcomesOf = (attempts: readonly SourceAttempt[]): readonly SourceOutcome[] =>
  attempts.map((each) => {
    if ("result" in each) return { source: each.source, features: each.result.features };
    if (each.failure instanceof HistoryUnavailable) return { source: each.source, features: "no-history" };
    return { source: each.source, features: each.source.onFailure === "skip" ? "skipped" : "unavailable" };
  });

async function attempt(
  source: ManagedSource,
  context: EvaluationContext,
  isLocationUnknown: boolean,
): Promise<SourceAttempt> {
  const { varyBy } = source.resolver;
  try {
    if (isLocationUnknown && (varyBy === undefined || varyBy.includes("locations")))
      throw new HistoryUnavailable([{ name: storedLocationsSource }]);
    return { source, result: await evaluateAlone(source, context) };
  } catch (failure) {
    return { source, failure };
  }
}

/** The sources without history at the time, and the time from which each has one. */
export const missingHistoryOf = (attempts: readonly SourceAttempt[]): readonly MissingHistory[] =>
  attempts.flatMap((each) => {
    if (!("failure" in each && each.failure instanceof HistoryUnavailable)) return [];
    const from = each.failure.parts.flatMap((part) => part.from ?? []);
    const name = each.source.name;
    return [from.length > 0 ? { name, from: Math.max(...from) } : { name }];
  });

/** The sets that a source reads for a context; none if it reads no sets, or if the context lacks a field. */
export const setsOf = ({ editableSet: stored }: ManagedSource, context: EvaluationContext): readonly SetRead[] =>
  stored?.key.keysFor(context).map((key) => ({ store: stored.connection, key })) ?? [];

/** One set of one store. */
export type SetRead = { readonly store: string; readonly key: string };
