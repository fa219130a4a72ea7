import { EventLogUnavailable, HistoryUnavailable, type MissingHistory } from "../../domain/errors.ts";
import type { CachedRead } from "../../domain/evaluation/cached-read.ts";
import type { EvaluationContext, Instant, UserId } from "../../domain/evaluation/evaluation-context.ts";
import type { SourceOutcome } from "../../domain/evaluation/explanation.ts";
import type { Source } from "../../domain/evaluation/source.ts";
import { evaluateSource, type SourceEvaluation } from "../evaluation/evaluate-source.ts";
import type { Caller, IdentifyCaller, RequestContext } from "../evaluation/identify-caller.ts";
import type { Located } from "../evaluation/locate-caller.ts";

/** A source, and what it said, or what it failed with. */
export type SourceAttempt = { readonly source: Source } & (
  | { readonly evaluation: SourceEvaluation }
  | { readonly failure: unknown }
);

/** What each source says to somebody at one moment. */
export type EachSource = {
  readonly context: EvaluationContext;
  /** How it was found out where that is. */
  readonly located?: Located;
  /** When the sources were asked. */
  readonly evaluatedAt: Instant;
  /** Whether what they say is told from the record of the stores; else it is what they say now, to that moment. */
  readonly isPast: boolean;
  /** The read that says who the caller is. */
  readonly identity?: CachedRead<UserId | undefined>;
  readonly attempts: readonly SourceAttempt[];
};

/** Asks every source, and leaves to others what follows where some cannot tell. */
export class EvaluateEachSource {
  readonly #callers: IdentifyCaller;
  readonly #sources: readonly Source[];
  readonly #past: (at: Instant) => readonly Source[];
  readonly #now: () => Instant;

  /** `past` makes the sources as they would answer from what stores held at a moment; one that cannot rejects with `NotKnown`. */
  constructor(
    callers: IdentifyCaller,
    sources: readonly Source[],
    past: (at: Instant) => readonly Source[],
    now: () => Instant,
  ) {
    this.#callers = callers;
    this.#sources = sources;
    this.#past = past;
    this.#now = now;
  }

  /**
   * For the present, or for another moment: of a past one, stores and clock are those of then, of one to come only the clock.
   * Who a token speaks for, and the configuration, are always those of now. Rejects as `IdentifyCaller` does, and with
   * `LogUnavailable` when the past cannot be told at the moment.
   */
  async evaluate(caller: Caller, circumstances: RequestContext, at?: Instant): Promise<EachSource> {
    const { context, located, identity } = await this.#callers.identify(caller, circumstances, at);
    const askedAt = this.#now();
    const isPast = at !== undefined && at < askedAt;
    const sources = isPast ? this.#past(context.at) : this.#sources;
    try {
      const words = await Promise.all(sources.map((source) => attempt(source, context)));
      for (const word of words)
        if ("failure" in word && word.failure instanceof EventLogUnavailable) throw word.failure;
      return {
        context,
        ...(located ? { located } : {}),
        evaluatedAt: askedAt,
        isPast,
        ...(identity ? { identity } : {}),
        attempts: words,
      };
    } finally {
      if (isPast) await Promise.all(sources.map(({ resolver }) => resolver[Symbol.asyncDispose]?.()));
    }
  }
}

/** What the words mean for single features. */
export const outcomesOf = (words: readonly SourceAttempt[]): readonly SourceOutcome[] =>
  words.map((word) => {
    if ("evaluation" in word) return { source: word.source, result: word.evaluation.features };
    if (word.failure instanceof HistoryUnavailable) return { source: word.source, result: "not-known" };
    return { source: word.source, result: word.source.onFailure === "skip" ? "left-out" : "unavailable" };
  });

async function attempt(source: Source, context: EvaluationContext): Promise<SourceAttempt> {
  try {
    return { source, evaluation: await evaluateSource(source, context) };
  } catch (failure) {
    return { source, failure };
  }
}

/** The sources of which nobody knows what they said, and from when on that is known. */
export const missingHistoryOf = (words: readonly SourceAttempt[]): readonly MissingHistory[] =>
  words.flatMap((word) => {
    if (!("failure" in word && word.failure instanceof HistoryUnavailable)) return [];
    const from = word.failure.parts.flatMap((part) => part.from ?? []);
    const name = word.source.name;
    return [from.length > 0 ? { name, from: Math.max(...from) } : { name }];
  });

/** The sets that a source reads for a context; none where it reads no sets, or has nothing to say. */
export const setsOf = ({ resolver: { editableSet: stored } }: Source, context: EvaluationContext): readonly SetRead[] =>
  stored?.key.keysFor(context).map((key) => ({ store: stored.connection, key })) ?? [];

/** One set of one store. */
export type SetRead = { readonly store: string; readonly key: string };
