import { SourceUnavailable } from "../../domain/errors.ts";
import type { CachedRead } from "../../domain/evaluation/cached-read.ts";
import type { EvaluationContext, Instant } from "../../domain/evaluation/evaluation-context.ts";
import type { FeatureKey } from "../../domain/evaluation/feature.ts";
import { merge } from "../../domain/evaluation/merge.ts";
import type { Source } from "../../domain/evaluation/source.ts";
import { emptyResult, type Resolution } from "../../domain/evaluation/source-result.ts";
import { ContextFields } from "./context-fields.ts";
import { evaluateSource, type SourceEvaluation } from "./evaluate-source.ts";
import { Freshness, faultOf } from "./freshness.ts";
import type { Caller, IdentifyCaller, RequestContext } from "./identify-caller.ts";
import type { SourceStates } from "./source-states.ts";

/** The result for a caller. */
export type EvaluatedFeatures = {
  /** The features that are on. The same map as long as the source results are the same. */
  readonly features: ReadonlyMap<FeatureKey, Resolution>;
  /** The sources that failed and were left out, as configured; in YAML order. */
  readonly missing: readonly string[];
  /** The next instant at which a source result is known to change by itself, if any. */
  readonly changesAt: Instant | undefined;
  readonly freshness: Freshness;
};

/** Evaluation: the merged source results for a context. */
export type Evaluation = Pick<EvaluatedFeatures, "features" | "missing" | "changesAt"> & {
  readonly dependencies: readonly CachedRead<unknown>[];
  readonly validUntil: Instant;
  readonly freshness: Freshness;
};

/** Evaluation cache: evaluations by the context fields that they depend on. It may evict entries. */
export type EvaluationCache = { get(key: string): Evaluation | undefined; set(key: string, said: Evaluation): unknown };

/** How long a source result without `validUntil` is valid. */
const assumedValidityMs = 1_000;

/** Evaluates all sources and merges their results. */
export class EvaluateFeatures {
  readonly #callers: IdentifyCaller;
  readonly #sources: readonly Source[];
  readonly #states: SourceStates;
  readonly #reads: ContextFields;
  readonly #before: EvaluationCache;

  constructor(callers: IdentifyCaller, sources: readonly Source[], states: SourceStates, before: EvaluationCache) {
    this.#callers = callers;
    this.#sources = sources;
    this.#states = states;
    this.#reads = new ContextFields(sources);
    this.#before = before;
  }

  /** Rejects as `IdentifyCaller` does, and with `SourceUnavailable` if a required source does not answer in time. */
  async evaluate(caller: Caller, circumstances: RequestContext): Promise<EvaluatedFeatures> {
    const { reads, context } = await this.#callers.identify(caller, circumstances);
    const said = await this.#saidTo(context);
    return reads.length > 0 ? { ...said, freshness: freshnessWith(said, reads) } : said;
  }

  /** The cached evaluation of an equal context if it is current, otherwise a new one. */
  #saidTo(context: EvaluationContext): Evaluation | Promise<Evaluation> {
    const key = this.#reads.varyKey(context);
    const before = this.#before.get(key);
    return before?.freshness.isCurrent(context.at) ? before : this.#askAll(context, key);
  }

  async #askAll(context: EvaluationContext, key: string): Promise<Evaluation> {
    // All sources are evaluated in one turn of the event loop, so that reads of one store are pipelined.
    const says = await settled(this.#sources.map((source) => this.#ask(source, context)));
    const heard = says.filter((say) => say !== undefined);
    const from = heard.flatMap(({ result: answer }) => answer.dependencies ?? []);
    const ends = heard.flatMap(({ result: answer }) => answer.validUntil ?? []);
    const known = Math.min(...ends);
    const assumed = ends.length < heard.length ? context.at + assumedValidityMs : Number.POSITIVE_INFINITY;
    const missing = this.#sources.filter((_, index) => says[index] === undefined).map(({ name }) => name);
    // An evaluation without one of the sources is not cached.
    const validUntil = missing.length > 0 ? context.at : Math.min(known, assumed);
    const said = {
      features: merge(heard),
      missing,
      changesAt: Number.isFinite(known) ? known : undefined,
      dependencies: from,
      validUntil,
      freshness: new Freshness(from, validUntil),
    };
    if (said.freshness.isCurrent(context.at)) this.#before.set(key, said);
    return said;
  }

  /** Returns synchronously if the source does. */
  #ask(source: Source, context: EvaluationContext): OptionalEvaluation | Promise<OptionalEvaluation> {
    try {
      const heard = evaluateSource(source, context);
      if (!(heard instanceof Promise)) return this.#hear(source, heard, context.at);
      return heard.then((late) => this.#hear(source, late, context.at)).catch((cause) => this.#missed(source, cause));
    } catch (cause) {
      return this.#missed(source, cause);
    }
  }

  async #missed(source: Source, cause: unknown): Promise<undefined> {
    this.#states.failed(source.name, cause);
    if (source.onFailure === "skip") return undefined;
    throw new SourceUnavailable(source.name, cause);
  }

  #hear(source: Source, heard: SourceEvaluation, at: Instant): SourceEvaluation {
    const fault = faultOf(heard.result.dependencies ?? [], at);
    if (fault) this.#states.failed(source.name, fault);
    else if (heard.result !== emptyResult) this.#states.answered(source.name);
    return heard;
  }
}

/** The result of a source; `undefined` if it is left out. */
type OptionalEvaluation = SourceEvaluation | undefined;

const settled = (
  says: readonly (OptionalEvaluation | Promise<OptionalEvaluation>)[],
): readonly OptionalEvaluation[] | Promise<readonly OptionalEvaluation[]> =>
  says.some((say) => say instanceof Promise) ? Promise.all(says) : (says as readonly OptionalEvaluation[]);

const freshnessWith = (
  { dependencies: from, validUntil }: Evaluation,
  reads: readonly CachedRead<unknown>[],
): Freshness => new Freshness([...reads, ...from], validUntil);
