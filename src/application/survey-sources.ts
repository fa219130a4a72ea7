import { LogUnavailable, NotKnown, type Unknown } from "../domain/errors.ts";
import type { EvaluationContext, Instant, UserId } from "../domain/evaluation-context.ts";
import type { Hearing } from "../domain/explain.ts";
import type { Held } from "../domain/held.ts";
import type { Source } from "../domain/source.ts";
import { askSource, type Heard } from "./ask-source.ts";
import type { Caller, Circumstances, IdentifyCaller } from "./identify-caller.ts";
import type { Located } from "./locate-caller.ts";

/** A source, and what it said, or what it failed with. */
export type Word = { readonly source: Source } & ({ readonly heard: Heard } | { readonly failure: unknown });

/** What each source says to somebody at one moment. */
export type Survey = {
  readonly context: EvaluationContext;
  /** How it was found out where that is. */
  readonly located?: Located;
  /** When the sources were asked. */
  readonly askedAt: Instant;
  /** Whether what they say is told from the record of the stores; else it is what they say now, to that moment. */
  readonly isPast: boolean;
  /** The read that says who the caller is. */
  readonly identity?: Held<UserId | undefined>;
  readonly words: readonly Word[];
};

/** Asks every source, and leaves to others what follows where some cannot tell. */
export class SurveySources {
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
  async execute(caller: Caller, circumstances: Circumstances, at?: Instant): Promise<Survey> {
    const { context, located, identity } = await this.#callers.execute(caller, circumstances, at);
    const askedAt = this.#now();
    const isPast = at !== undefined && at < askedAt;
    const sources = isPast ? this.#past(context.at) : this.#sources;
    try {
      const words = await Promise.all(sources.map((source) => wordOf(source, context)));
      for (const word of words) if ("failure" in word && word.failure instanceof LogUnavailable) throw word.failure;
      return { context, ...(located ? { located } : {}), askedAt, isPast, ...(identity ? { identity } : {}), words };
    } finally {
      if (isPast) await Promise.all(sources.map(({ resolver }) => resolver[Symbol.asyncDispose]?.()));
    }
  }
}

/** What the words mean for single features. */
export const hearingsOf = (words: readonly Word[]): readonly Hearing[] =>
  words.map((word) => {
    if ("heard" in word) return { rule: word.source, said: word.heard.features };
    if (word.failure instanceof NotKnown) return { rule: word.source, said: "not-known" };
    return { rule: word.source, said: word.source.onFailure === "skip" ? "left-out" : "unavailable" };
  });

async function wordOf(source: Source, context: EvaluationContext): Promise<Word> {
  try {
    return { source, heard: await askSource(source, context) };
  } catch (failure) {
    return { source, failure };
  }
}

/** The sources of which nobody knows what they said, and from when on that is known. */
export const notKnownIn = (words: readonly Word[]): readonly Unknown[] =>
  words.flatMap((word) => {
    if (!("failure" in word && word.failure instanceof NotKnown)) return [];
    const from = word.failure.parts.flatMap((part) => part.from ?? []);
    const name = word.source.name;
    return [from.length > 0 ? { name, from: Math.max(...from) } : { name }];
  });

/** The sets that a source reads for a context; none where it reads no sets, or has nothing to say. */
export const setsOf = ({ resolver: { stored } }: Source, context: EvaluationContext): readonly SetRead[] =>
  stored?.key.keysFor(context).map((key) => ({ store: stored.connection, key })) ?? [];

/** One set of one store. */
export type SetRead = { readonly store: string; readonly key: string };
