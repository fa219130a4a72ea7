import type { EvaluationContext as FlagdContext } from "@openfeature/core";
import { type FeatureFlag, MemoryStorage } from "@openfeature/flagd-core";
import { parse } from "yaml";
import type { ContextField, EvaluationContext } from "../../domain/evaluation-context.ts";
import { type FeatureKey, isServedKey, type Reason, type Resolution } from "../../domain/feature.ts";
import type { Answer } from "../../domain/feature-resolver.ts";
import { clockAt, isMap, type JsonMap, whatIsRead, withClock } from "./targeting.ts";

const silent = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} };

/** Flag definitions as flagd has them, evaluated by its own library. They never change. */
export class FlagdRules {
  readonly #flags: readonly (readonly [FeatureKey, FeatureFlag])[];
  readonly #readsClock: boolean;
  /** The fields of a context that its answers follow from; `undefined` where all may matter. */
  readonly reads: readonly ContextField[] | undefined;
  /** What is wrong with single flags, which are off or left out for it; a sentence each. */
  readonly faults: readonly string[];

  /** Throws, with the reason, where the definitions cannot be used as a whole. */
  constructor(definitions: unknown) {
    if (!isMap(definitions) || !isMap(definitions["flags"])) throw new Error("there is no map of `flags` in it");
    for (const [key, flag] of Object.entries(definitions["flags"])) {
      if (!isMap(flag) || !isMap(flag["variants"])) throw new Error(`the flag ${JSON.stringify(key)} has no variants`);
    }
    const flags = flagsOf(definitions);
    const { fields, clock } = whatIsRead(definitions);
    this.#flags = flags.filter(([key]) => isServedKey(key));
    this.#readsClock = clock;
    this.reads = fields;
    this.faults = flags.flatMap(([key, flag]) => {
      if (!isServedKey(key)) return [`${JSON.stringify(key)} cannot be a feature key`];
      const { errorMessage } = flag.evaluate({}, silent);
      return errorMessage === undefined ? [] : [errorMessage];
    });
  }

  /** Of a text of JSON or YAML. Throws likewise. */
  static parse(text: string): FlagdRules {
    // As YAML it would take much longer.
    return new FlagdRules(text.trimStart().startsWith("{") ? JSON.parse(text) : parse(text));
  }

  answer(context: EvaluationContext): Answer {
    const asked = flagdContext(context);
    const features = new Map(this.#flags.map(([key, flag]) => [key, resolutionOf(flag, asked)]));
    // When a rule that reads the clock turns is not known, only that flagd counts in seconds.
    return this.#readsClock ? { features } : { features, validUntil: Number.POSITIVE_INFINITY };
  }
}

function flagsOf(definitions: JsonMap): readonly (readonly [FeatureKey, FeatureFlag])[] {
  // No code is made of what may come from elsewhere; that would not be faster either.
  const storage = new MemoryStorage(silent, { disableDynamicCodeGeneration: true });
  try {
    storage.setConfigurations(JSON.stringify(withClock(definitions)));
  } catch (error) {
    // What is wrong stands in the cause.
    throw error instanceof Error && error.cause instanceof Error ? error.cause : error;
  }
  return [...storage.getFlags()];
}

/** What targeting may read. What is ours hides an attribute of the same name, so that nobody can say who they are. */
const flagdContext = (context: EvaluationContext): FlagdContext =>
  ({
    ...context.attributes,
    targetingKey: context.targetingKey ?? null,
    userId: context.userId ?? null,
    location: context.locations?.[0] ?? null,
    locations: context.locations ?? null,
    ip: context.ip ?? null,
    ...clockAt(secondOf(context)),
  }) as FlagdContext;

const secondOf = ({ at }: EvaluationContext): number => Math.floor(at / 1_000);

const reasons: readonly Reason[] = ["STATIC", "TARGETING_MATCH"];

/** A flag is on that is enabled and comes to a value which is neither `false` nor nothing. */
function resolutionOf(flag: FeatureFlag, context: FlagdContext): Resolution {
  const { metadata } = flag;
  if (flag.state === "DISABLED") return { on: false, value: null, reason: "DISABLED", metadata };
  const { value = null, variant, reason, errorCode, errorMessage } = flag.evaluate(context, silent);
  return {
    on: value !== null && value !== false,
    value,
    ...(variant === undefined ? {} : { variant }),
    reason: reasons.find((known) => known === reason) ?? "DEFAULT",
    metadata: errorCode === undefined ? metadata : { ...metadata, error: `${errorCode}: ${errorMessage}` },
  };
}
