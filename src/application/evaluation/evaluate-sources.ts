import { SourceUnavailable } from "../../domain/errors.ts";
import type { CachedRead } from "../../domain/evaluation/cached-read.ts";
import type { EvaluationContext, Instant } from "../../domain/evaluation/evaluation-context.ts";
import type { SourceFeatures } from "../../domain/evaluation/merge.ts";
import type { Source } from "../../domain/evaluation/source.ts";
import { emptyResult, type SourceResult } from "../../domain/evaluation/source-result.ts";
import { isPromiseLike, settleWithin } from "../async/deadline.ts";
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

  /**
   * Returns synchronously if all sources do. Rejects with `SourceUnavailable` if a required source does not respond in
   * time.
   */
  evaluate(context: EvaluationContext): EvaluatedSources | Promise<EvaluatedSources> {
    // All sources are evaluated in one turn of the event loop, so that reads of one store share a round trip.
    const results = this.#sources.map((source) => this.#resolve(source, context));
    return results.some(isPromiseLike)
      ? this.#settled(results, context.at)
      : this.#evaluated(results as Settled, context.at);
  }

  #resolve(source: Source, context: EvaluationContext): SourceResult | Promise<SourceResult> {
    try {
      const result = source.resolver.resolve(context);
      return isPromiseLike(result) ? result : this.#checked(source, result, context.at);
    } catch (cause) {
      return Promise.reject(cause);
    }
  }

  /** Waits for the results that are promises, in place: one promise for all, because every first call waits here. */
  #settled(results: Pending, at: Instant): Promise<EvaluatedSources> {
    return new Promise((resolve, reject) => {
      let missing = 0;
      const settle = (index: number, result: SourceResult | undefined) => {
        results[index] = result;
        missing -= 1;
        if (missing === 0) resolve(this.#evaluated(results as Settled, at));
      };
      this.#sources.forEach((source, index) => {
        const result = results[index];
        if (!isPromiseLike(result)) return;
        missing += 1;
        settleWithin(
          source.timeoutMs,
          result,
          (result) => settle(index, this.#checked(source, result, at)),
          (cause) => {
            this.#states.failed(source.name, cause);
            if (source.onFailure === "skip") settle(index, undefined);
            else reject(new SourceUnavailable(source.name, cause));
          },
        );
      });
    });
  }

  /** Reports the state of a source. Its result may be a cached one that replaces a failed read. */
  #checked(source: Source, result: SourceResult, at: Instant): SourceResult {
    const fault = result.dependencies && faultOf(result.dependencies, at);
    if (fault) this.#states.failed(source.name, fault);
    else if (result !== emptyResult) this.#states.succeeded(source.name);
    return result;
  }

  #evaluated(results: Settled, at: Instant): EvaluatedSources {
    const features: SourceFeatures[] = [];
    const dependencies: CachedRead<unknown>[] = [];
    const missing: string[] = [];
    let changesAt = Number.POSITIVE_INFINITY;
    let validUntil = Number.POSITIVE_INFINITY;
    this.#sources.forEach((source, index) => {
      const result = results[index];
      if (!result) {
        missing.push(source.name);
        // An evaluation without one of the sources is never current, so it is not cached.
        validUntil = at;
        return;
      }
      features.push({ source, features: result.features });
      if (result.dependencies) dependencies.push(...result.dependencies);
      if (result.validUntil === undefined) validUntil = Math.min(validUntil, at + assumedValidityMs);
      else changesAt = Math.min(changesAt, result.validUntil);
    });
    return {
      results: features,
      missing,
      changesAt: Number.isFinite(changesAt) ? changesAt : undefined,
      freshness: new Freshness(dependencies, Math.min(changesAt, validUntil)),
    };
  }
}

/** The results of the sources, in their order; `undefined` for a source that is left out. */
type Settled = readonly (SourceResult | undefined)[];
type Pending = (SourceResult | Promise<SourceResult> | undefined)[];
