import { SourceUnavailable } from "../domain/errors.ts";
import type { EvaluationContext, Instant, UserId } from "../domain/evaluation-context.ts";
import type { FeatureKey, Resolution } from "../domain/feature.ts";
import { nothing } from "../domain/feature-resolver.ts";
import type { Held } from "../domain/held.ts";
import { merge } from "../domain/merge.ts";
import type { Source } from "../domain/source.ts";
import { askSource, type Heard } from "./ask-source.ts";
import { FieldsRead } from "./fields-read.ts";
import type { Caller, Circumstances, IdentifyCaller } from "./identify-caller.ts";
import { faultOf, Provenance } from "./provenance.ts";
import type { SourceStates } from "./source-states.ts";

/** What a caller gets. */
export type Features = {
  /** The features that are on. The same map as long as the sources say the same. */
  readonly features: ReadonlyMap<FeatureKey, Resolution>;
  /** The sources that could not answer and were left out, as configured; in YAML order. */
  readonly missing: readonly string[];
  /** The instant at which a source is known to say something else by itself, where there is one. */
  readonly changesAt: Instant | undefined;
  readonly provenance: Provenance;
};

/** What the sources said to a context. */
export type Said = Pick<Features, "features" | "missing" | "changesAt"> & {
  readonly from: readonly Held<unknown>[];
  readonly validUntil: Instant;
  readonly provenance: Provenance;
};

/** Where what the sources said is kept, by what they went by. It may forget. */
export type SaidBefore = { get(key: string): Said | undefined; set(key: string, said: Said): unknown };

/** For how long an answer is taken to hold whose source does not say. */
const assumedValidityMs = 1_000;

/** Which features somebody may activate: asks every source, merges what they say. */
export class ResolveFeatures {
  readonly #callers: IdentifyCaller;
  readonly #sources: readonly Source[];
  readonly #states: SourceStates;
  readonly #reads: FieldsRead;
  readonly #before: SaidBefore;

  constructor(callers: IdentifyCaller, sources: readonly Source[], states: SourceStates, before: SaidBefore) {
    this.#callers = callers;
    this.#sources = sources;
    this.#states = states;
    this.#reads = new FieldsRead(sources);
    this.#before = before;
  }

  /**
   * Rejects as `IdentifyCaller` does, and with `SourceUnavailable` when a source that may not be left out does not answer in time.
   */
  async execute(caller: Caller, circumstances: Circumstances): Promise<Features> {
    const { reads, context } = await this.#callers.execute(caller, circumstances);
    const said = await this.#saidTo(context);
    return reads.length > 0 ? { ...said, provenance: provenanceOf(said, reads) } : said;
  }

  /** What the sources said before to who agrees in all that they go by, while that holds; else what they say now. */
  #saidTo(context: EvaluationContext): Said | Promise<Said> {
    const key = this.#reads.keyOf(context);
    const before = this.#before.get(key);
    return before?.provenance.isCurrent(context.at) ? before : this.#askAll(context, key);
  }

  async #askAll(context: EvaluationContext, key: string): Promise<Said> {
    // All are asked in one turn of the event loop, so that reads of one store travel together.
    const says = await settled(this.#sources.map((source) => this.#ask(source, context)));
    const heard = says.filter((say) => say !== undefined);
    const from = heard.flatMap(({ answer }) => answer.from ?? []);
    const ends = heard.flatMap(({ answer }) => answer.validUntil ?? []);
    const known = Math.min(...ends);
    const assumed = ends.length < heard.length ? context.at + assumedValidityMs : Number.POSITIVE_INFINITY;
    const missing = this.#sources.filter((_, index) => says[index] === undefined).map(({ name }) => name);
    // What lacks a source is good for this once.
    const validUntil = missing.length > 0 ? context.at : Math.min(known, assumed);
    const said = {
      features: merge(heard),
      missing,
      changesAt: Number.isFinite(known) ? known : undefined,
      from,
      validUntil,
      provenance: new Provenance(from, validUntil),
    };
    if (said.provenance.isCurrent(context.at)) this.#before.set(key, said);
    return said;
  }

  /** Answers in the same turn where the source does. */
  #ask(source: Source, context: EvaluationContext): HeardIfAny | Promise<HeardIfAny> {
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
type HeardIfAny = Heard | undefined;

const settled = (
  says: readonly (HeardIfAny | Promise<HeardIfAny>)[],
): readonly HeardIfAny[] | Promise<readonly HeardIfAny[]> =>
  says.some((say) => say instanceof Promise) ? Promise.all(says) : (says as readonly HeardIfAny[]);

const provenanceOf = ({ from, validUntil }: Said, reads: readonly Held<unknown>[]): Provenance =>
  new Provenance([...reads, ...from], validUntil);
