import { SourceUnavailable } from "../domain/errors.ts";
import type { EvaluationContext, Instant } from "../domain/evaluation-context.ts";
import type { FeatureKey, Resolution } from "../domain/feature.ts";
import { nothing } from "../domain/feature-resolver.ts";
import { merge } from "../domain/merge.ts";
import type { Source } from "../domain/source.ts";
import type { TokenResolver } from "../domain/token-resolver.ts";
import { askSource, faultOf, type Heard } from "./ask-source.ts";
import { type Caller, IdentifyCaller } from "./identify-caller.ts";
import { Provenance } from "./provenance.ts";
import type { SourceStates } from "./source-states.ts";

/** What a caller gets. */
export type Features = {
  /** The features that are on. */
  readonly features: ReadonlyMap<FeatureKey, Resolution>;
  /** The sources that could not answer and were left out, as configured; in YAML order. */
  readonly missing: readonly string[];
  readonly provenance: Provenance;
};

/** For how long an answer is taken to hold whose source does not say. */
const assumedValidityMs = 1_000;

/** Which features somebody may activate: asks every source, merges what they say. */
export class ResolveFeatures {
  readonly #callers: IdentifyCaller;
  readonly #sources: readonly Source[];
  readonly #states: SourceStates;

  constructor(tokens: TokenResolver, sources: readonly Source[], states: SourceStates, now: () => Instant) {
    this.#callers = new IdentifyCaller(tokens, states, now);
    this.#sources = sources;
    this.#states = states;
  }

  /**
   * Rejects as `IdentifyCaller` does, and with `SourceUnavailable` when a source that may not be left out does not answer in time.
   */
  async execute(caller: Caller, location: string | undefined): Promise<Features> {
    const { identity, context } = await this.#callers.execute(caller, location);
    // All are asked in one turn of the event loop, so that reads of one store travel together.
    const says = await settled(this.#sources.map((source) => this.#ask(source, context)));
    const heard = says.filter((say) => say !== undefined);
    const from = [...(identity ? [identity] : []), ...heard.flatMap(({ answer }) => answer.from ?? [])];
    const validUntil = Math.min(...heard.map(({ answer }) => answer.validUntil ?? context.at + assumedValidityMs));
    const missing = this.#sources.filter((_, index) => says[index] === undefined).map(({ name }) => name);
    return {
      features: merge(heard),
      missing,
      // What lacks a source is good for this once.
      provenance: new Provenance(from, missing.length > 0 ? context.at : validUntil),
    };
  }

  /** Answers in the same turn where the source does. */
  #ask(source: Source, context: EvaluationContext): Said | Promise<Said> {
    try {
      const heard = askSource(source, context);
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

  #hear(source: Source, heard: Heard, at: Instant): Heard {
    const fault = faultOf(heard.answer.from ?? [], at);
    if (fault) this.#states.failed(source.name, fault);
    else if (heard.answer !== nothing) this.#states.answered(source.name);
    return heard;
  }
}

/** What a source said; `undefined` where it is left out. */
type Said = Heard | undefined;

const settled = (says: readonly (Said | Promise<Said>)[]): readonly Said[] | Promise<readonly Said[]> =>
  says.some((say) => say instanceof Promise) ? Promise.all(says) : (says as readonly Said[]);
