import { SourceUnavailable } from "../../domain/errors.ts";
import type { EvaluationContext, Instant } from "../../domain/evaluation/evaluation-context.ts";
import type { SourceFeatures } from "../../domain/evaluation/merge.ts";
import type { Source } from "../../domain/evaluation/source.ts";
import { emptyResult } from "../../domain/evaluation/source-result.ts";
import { evaluateSource, type SourceEvaluation } from "./evaluate-source.ts";
import { Freshness, faultOf } from "./freshness.ts";
import type { SourceStates } from "./source-states.ts";

/** The results of all sources for one context. */
export type EvaluatedSources = {
  /** In YAML order, without the sources that were left out. */
  readonly results: readonly SourceFeatures[];
  /** The sources that failed and were left out, as configured; in YAML order. */
  readonly missing: readonly string[];
  /** The next instant at which a result is known to change by itself, if any. */
  readonly changesAt: Instant | undefined;
  readonly freshness: Freshness;
};

/** How long a source result without `validUntil` is valid, in milliseconds. */
const assumedValidityMs = 1_000;

/** Evaluates all sources for a context. */
export class EvaluateSources {
  readonly #sources: readonly Source[];
  readonly #states: SourceStates;

  constructor(sources: readonly Source[], states: SourceStates) {
    this.#sources = sources;
    this.#states = states;
  }

  /** Rejects with `SourceUnavailable` if a required source does not respond in time. */
  async evaluate(context: EvaluationContext): Promise<EvaluatedSources> {
    // All sources are evaluated in one turn of the event loop, so that reads of one store are pipelined.
    const evaluations = await settled(this.#sources.map((source) => this.#evaluate(source, context)));
    const results = evaluations.filter((evaluation) => evaluation !== undefined);
    const dependencies = results.flatMap(({ result }) => result.dependencies ?? []);
    const ends = results.flatMap(({ result }) => result.validUntil ?? []);
    const changesAt = Math.min(...ends);
    const assumed = ends.length < results.length ? context.at + assumedValidityMs : Number.POSITIVE_INFINITY;
    const missing = this.#sources.filter((_, index) => evaluations[index] === undefined).map(({ name }) => name);
    // An evaluation without one of the sources is never current, so it is not cached.
    const validUntil = missing.length > 0 ? context.at : Math.min(changesAt, assumed);
    return {
      results,
      missing,
      changesAt: Number.isFinite(changesAt) ? changesAt : undefined,
      freshness: new Freshness(dependencies, validUntil),
    };
  }

  /** Returns synchronously if the source does. */
  #evaluate(source: Source, context: EvaluationContext): OptionalEvaluation | Promise<OptionalEvaluation> {
    try {
      const evaluation = evaluateSource(source, context);
      if (!(evaluation instanceof Promise)) return this.#checked(source, evaluation, context.at);
      return evaluation
        .then((late) => this.#checked(source, late, context.at))
        .catch((cause) => this.#failed(source, cause));
    } catch (cause) {
      return this.#failed(source, cause);
    }
  }

  async #failed(source: Source, cause: unknown): Promise<undefined> {
    this.#states.failed(source.name, cause);
    if (source.onFailure === "skip") return undefined;
    throw new SourceUnavailable(source.name, cause);
  }

  /** Reports the state of a source. Its result may be a cached one that replaces a failed read. */
  #checked(source: Source, evaluation: SourceEvaluation, at: Instant): SourceEvaluation {
    const fault = faultOf(evaluation.result.dependencies ?? [], at);
    if (fault) this.#states.failed(source.name, fault);
    else if (evaluation.result !== emptyResult) this.#states.answered(source.name);
    return evaluation;
  }
}

/** The result of a source; `undefined` if it is left out. */
type OptionalEvaluation = SourceEvaluation | undefined;

const settled = (
  evaluations: readonly (OptionalEvaluation | Promise<OptionalEvaluation>)[],
): readonly OptionalEvaluation[] | Promise<readonly OptionalEvaluation[]> =>
  evaluations.some((evaluation) => evaluation instanceof Promise)
    ? Promise.all(evaluations)
    : (evaluations as readonly OptionalEvaluation[]);
