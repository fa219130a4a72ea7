import { InvalidContext, SourceUnavailable, TokenRejected } from "../domain/errors.ts";
import {
  type EvaluationContext,
  type Instant,
  isValue,
  longestValue,
  type UserId,
} from "../domain/evaluation-context.ts";
import { type FeatureKey, isServedKey, type Resolution } from "../domain/feature.ts";
import { type Answer, nothing } from "../domain/feature-resolver.ts";
import { freshnessBoundMs, type Held, readAt } from "../domain/held.ts";
import { merge, type Say } from "../domain/merge.ts";
import type { Source } from "../domain/source.ts";
import type { TokenResolver } from "../domain/token-resolver.ts";
import { within } from "./deadline.ts";
import { Provenance } from "./provenance.ts";
import type { SourceStates } from "./source-states.ts";

/** Who asks: the bearer of a token, a user whom an operator names, or nobody in particular. */
export type Caller = { readonly token: string } | { readonly userId: UserId } | undefined;

/** What a caller gets. */
export type Features = {
  /** The features that are on. */
  readonly features: ReadonlyMap<FeatureKey, Resolution>;
  /** The sources that could not answer and were left out, as configured; in YAML order. */
  readonly missing: readonly string[];
  readonly provenance: Provenance;
};

/** The name under which the store of tokens fails and recovers. */
export const tokensSource = "tokens";

/** For how long an answer is taken to hold whose source does not say. */
const assumedValidityMs = 1_000;

/** Which features somebody may activate: asks every source, merges what they say. */
export class ResolveFeatures {
  readonly #tokens: TokenResolver;
  readonly #sources: readonly Source[];
  readonly #states: SourceStates;
  readonly #now: () => Instant;

  constructor(tokens: TokenResolver, sources: readonly Source[], states: SourceStates, now: () => Instant) {
    this.#tokens = tokens;
    this.#sources = sources;
    this.#states = states;
    this.#now = now;
  }

  /**
   * Rejects with `TokenRejected` for a token nobody is known by, `InvalidContext` for a location of
   * more than 200 characters or with control characters, and `SourceUnavailable` when a source
   * that may not be left out, or the store of tokens, does not answer in time.
   */
  async execute(caller: Caller, location: string | undefined): Promise<Features> {
    if (location && !isValue(location)) {
      throw new InvalidContext(
        `The location has more than ${longestValue} characters or control characters among them; send the name of a place.`,
      );
    }
    const identity = caller && (await this.#identify(caller));
    const userId = identity?.value;
    const at = this.#now();
    const context: EvaluationContext = {
      at,
      ...(userId === undefined ? {} : { userId, targetingKey: userId }),
      ...(location ? { location } : {}),
    };
    // All are asked in one turn of the event loop, so that reads of one store travel together.
    const says = await settled(this.#sources.map((source) => this.#ask(source, context)));
    const heard = says.filter((say) => say !== undefined);
    const from = [...(identity ? [identity] : []), ...heard.flatMap(({ answer }) => answer.from ?? [])];
    const validUntil = Math.min(...heard.map(({ answer }) => answer.validUntil ?? at + assumedValidityMs));
    const missing = this.#sources.filter((_, index) => says[index] === undefined).map(({ name }) => name);
    return {
      features: merge(heard),
      missing,
      // What lacks a source is good for this once.
      provenance: new Provenance(from, missing.length > 0 ? at : validUntil),
    };
  }

  async #identify(caller: NonNullable<Caller>): Promise<Held<UserId | undefined>> {
    if ("userId" in caller) return readAt(caller.userId, this.#now());
    let identity: Held<UserId | undefined>;
    try {
      identity = await this.#tokens.resolve(caller.token);
    } catch (cause) {
      this.#states.failed(tokensSource, cause);
      throw new SourceUnavailable(tokensSource, cause);
    }
    const fault = faultOf([identity], this.#now());
    if (fault) this.#states.failed(tokensSource, fault);
    else this.#states.answered(tokensSource);
    if (identity.value === undefined) {
      // What was unknown may have been issued since: it is unknown only while that is certain.
      const now = this.#now();
      const isCertain = identity.isCurrent(now) || now - identity.asOf(now) <= freshnessBoundMs;
      if (fault || !isCertain) throw new SourceUnavailable(tokensSource, fault);
      throw new TokenRejected();
    }
    return identity;
  }

  /** Answers in the same turn where the source does: most often all that is asked for is remembered. */
  #ask(source: Source, context: EvaluationContext): Heard | Promise<Heard> {
    try {
      const answer = within(source.timeoutMs, () => source.resolver.resolve(context));
      if (!(answer instanceof Promise)) return this.#hear(source, answer, context.at);
      return answer.then((late) => this.#hear(source, late, context.at)).catch((cause) => this.#missed(source, cause));
    } catch (cause) {
      return this.#missed(source, cause);
    }
  }

  async #missed(source: Source, cause: unknown): Promise<undefined> {
    this.#states.failed(source.name, cause);
    if (source.onFailure === "skip") return undefined;
    throw new SourceUnavailable(source.name, cause);
  }

  #hear(source: Source, answer: Answer, at: Instant): Heard {
    check(answer);
    const fault = faultOf(answer.from ?? [], at);
    if (fault) this.#states.failed(source.name, fault);
    else if (answer !== nothing) this.#states.answered(source.name);
    return { rule: source, features: answer.features, answer };
  }
}

/** What a source said; `undefined` where it is left out. */
type Heard = (Say & { readonly answer: Answer }) | undefined;

const settled = (says: readonly (Heard | Promise<Heard>)[]): readonly Heard[] | Promise<readonly Heard[]> =>
  says.some((say) => say instanceof Promise) ? Promise.all(says) : (says as readonly Heard[]);

/** Throws where the answer is none: a source from outside the repository may answer anything. */
function check(answer: Answer): void {
  if (!(answer?.features instanceof Map)) throw new Error("the source answered without a Map of features");
  for (const [feature, resolution] of answer.features) {
    if (!isServedKey(feature) || typeof resolution?.on !== "boolean") {
      throw new Error(`the source answered with no feature and resolution: ${JSON.stringify(feature)}`);
    }
  }
}

/** Why something had to be answered from what was remembered, if it had. */
const faultOf = (from: readonly Held<unknown>[], now: Instant): unknown =>
  from.find((held) => held.fault !== undefined && !held.isCurrent(now))?.fault;
