import { ForeignTargetingKey, TokenRejected } from "../../domain/errors.ts";
import type { EvaluationContext } from "../../domain/evaluation/evaluation-context.ts";
import type { FeatureKey } from "../../domain/evaluation/feature.ts";
import { type Flag, flagOf, flagsOf } from "../../domain/evaluation/flag.ts";
import { userLocatorKind } from "../../domain/evaluation/locator.ts";
import type { ContextFields } from "./context-fields.ts";
import type { EvaluatedSources, EvaluateSources } from "./evaluate-sources.ts";
import type { Caller, IdentifiedCaller, IdentifyCaller, RequestContext } from "./identify-caller.ts";
import type { KnownFeatures, Registered } from "./known-features.ts";

/** The flags of a caller, sorted by code point. */
export type EvaluatedFlags = Omit<EvaluatedSources, "results"> & {
  readonly flags: readonly Flag[];
  readonly context: FlagsContext;
};

/**
 * A context to evaluate for again, with the key of the caller's token in the store, or the digest of the operator
 * credential that named the user. Has no locations if they were the stored ones of the user.
 */
export type FlagsContext = Omit<EvaluationContext, "at"> & {
  readonly tokenKey?: string;
  readonly credential?: string;
};

/** The flag of one feature; `undefined` if the feature is not known. */
export type EvaluatedFlag = Omit<EvaluatedFlags, "flags" | "context"> & { readonly flag: Flag | undefined };

/** Source results by the context fields that they depend on. It may evict entries. */
export type SourceResultCache = {
  get(key: string): EvaluatedSources | undefined;
  set(key: string, evaluated: EvaluatedSources): unknown;
};

type EvaluatedAll = EvaluatedSources & {
  readonly registered: Registered | undefined;
  readonly context: FlagsContext;
};

/** Evaluates flags: the features that are on, and those that are off but known. */
export class EvaluateFlags {
  readonly #callers: IdentifyCaller;
  readonly #sources: EvaluateSources;
  readonly #fields: ContextFields;
  readonly #cache: SourceResultCache;
  readonly #known: KnownFeatures;

  /** A feature is known while a source lists it for the caller, and while it is one of `known`. */
  constructor(
    callers: IdentifyCaller,
    sources: EvaluateSources,
    fields: ContextFields,
    cache: SourceResultCache,
    known: KnownFeatures,
  ) {
    this.#callers = callers;
    this.#sources = sources;
    this.#fields = fields;
    this.#cache = cache;
    this.#known = known;
  }

  /**
   * All flags of a caller. `targetingKey` is the key that the client claims. Rejects as `IdentifyCaller` and
   * `EvaluateSources` do, with `ForeignTargetingKey` if the claim of a known user is another user's, and with
   * `SourceUnavailable` if the feature register cannot be read.
   */
  async evaluateAll(caller: Caller, request: RequestContext, targetingKey?: string): Promise<EvaluatedFlags> {
    const { context, ...evaluated } = await this.#evaluate(this.#callers.identify(caller, request), targetingKey);
    const tokenKey = this.#callers.tokenKeyOf(caller);
    return this.#flags({ ...evaluated, context: { ...context, ...(tokenKey !== undefined && { tokenKey }) } });
  }

  /**
   * The present flags of a context of an earlier evaluation. Rejects as `evaluateAll` does, with `TokenRejected` if the
   * token belongs to another user now.
   */
  async evaluateAgain(input: FlagsContext): Promise<EvaluatedFlags> {
    const { userId, tokenKey, targetingKey, locations, ip, attributes } = input;
    const absent = () => undefined;
    const request = {
      hints: { ip, header: absent, query: absent },
      location: locations,
      clientId: targetingKey,
      attributes,
    };
    const caller = tokenKey !== undefined ? { tokenKey } : userId !== undefined ? { userId } : undefined;
    const identified = this.#callers.identify(caller, request).then((present) => {
      if (present.context.userId !== userId) throw new TokenRejected();
      const { identity, reads } = present;
      // Without a token, the user was identified then.
      return tokenKey === undefined ? { ...present, reads: reads.filter((read) => read !== identity) } : present;
    });
    return this.#flags(await this.#evaluate(identified));
  }

  #flags({ results, registered, ...evaluated }: EvaluatedAll): EvaluatedFlags {
    const flags = flagsOf(results, this.#known.by(registered));
    this.#known.add(flags, registered);
    return { ...evaluated, flags };
  }

  /** The flag of one feature. Rejects as `evaluateAll` does. */
  async evaluateOne(
    key: FeatureKey,
    caller: Caller,
    request: RequestContext,
    targetingKey?: string,
  ): Promise<EvaluatedFlag> {
    const identified = this.#callers.identify(caller, request);
    const { results, registered, context: _, ...evaluated } = await this.#evaluate(identified, targetingKey, true);
    const isKnown = results.some(({ features }) => features.has(key)) || this.#known.by(registered).has(key);
    const flag = isKnown ? flagOf(results, key) : undefined;
    if (flag) this.#known.add([flag], registered);
    return { ...evaluated, flag };
  }

  async #evaluate(identified: Promise<IdentifiedCaller>, targetingKey?: string, isOne = false): Promise<EvaluatedAll> {
    const reading = this.#known.read();
    // Awaited below; a failure of the evaluation comes first.
    reading.catch(() => {});
    const { context, located, reads } = await identified;
    if (context.userId !== undefined && targetingKey !== undefined && targetingKey !== context.userId) {
      throw new ForeignTargetingKey();
    }
    const evaluated = await this.#evaluateSources(context, isOne);
    const registered = await reading;
    const freshness = evaluated.freshness.with(registered ? [...reads, registered] : reads);
    const { at: _, locations, ...others } = context;
    const isStored = located?.by === userLocatorKind;
    return {
      ...evaluated,
      freshness,
      registered,
      context: { ...others, ...(locations && !isStored && { locations }) },
    };
  }

  /** The results for one caller are cached only if it evaluates flag after flag. */
  async #evaluateSources(context: EvaluationContext, isOne: boolean): Promise<EvaluatedSources> {
    const keyOf = () => (isOne ? this.#fields.varyKey(context) : this.#fields.sharedKey(context));
    const key = keyOf();
    const cached = key === undefined ? undefined : this.#cache.get(key);
    if (cached?.freshness.isRepeatable(context.at)) return cached;
    const evaluated = await this.#sources.evaluate(context);
    const keyNow = evaluated.freshness.isCacheable(context.at) ? keyOf() : undefined;
    if (keyNow !== undefined) this.#cache.set(keyNow, evaluated);
    return evaluated;
  }
}
