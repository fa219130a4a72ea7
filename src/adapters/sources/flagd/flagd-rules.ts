import type { EvaluationContext as FlagdContext } from "@openfeature/core";
import type { ContextField, EvaluationContext } from "../../../domain/evaluation/evaluation-context.ts";
import { type FeatureKey, isServedKey } from "../../../domain/evaluation/feature.ts";
import type { Resolution, SourceResult } from "../../../domain/evaluation/source-result.ts";
import { yamlIn } from "../../../infrastructure/yaml-values.ts";
import { Flag } from "./flag.ts";
import { Segments } from "./segments.ts";
import { type SharedContext, sharedContext } from "./shared-context.ts";
import { clockAt, isMap } from "./targeting.ts";

/** Flags of flagd. Immutable. */
export class FlagdRules {
  readonly #flags: readonly Flag[];
  readonly #readsClock: boolean;
  /** The context fields that results depend on; `undefined` if they can depend on any field. */
  readonly reads: readonly ContextField[] | undefined;
  /** Faults of single flags, each with the flag's name. Flags that cannot be evaluated are off. */
  readonly faults: readonly string[];

  constructor(flags: readonly Flag[]) {
    this.#flags = flags.filter(({ key }) => isServedKey(key));
    this.#readsClock = flags.some(({ read }) => read.clock);
    const fields = flags.map(({ read }) => read.fields);
    this.reads = fields.includes(undefined) ? undefined : [...new Set(fields.flatMap((each) => each ?? []))];
    this.faults = flags.flatMap(({ faults }) => faults);
  }

  /** Throws, with the reason, if the definitions are unusable as a whole: no map of flags, or no usable flag. */
  static of(definitions: unknown): FlagdRules {
    if (!isMap(definitions) || !isMap(definitions["flags"])) throw new Error("the map `flags` is missing");
    const { flags, $evaluators, metadata } = definitions;
    const segments = new Segments(new Map(isMap($evaluators) ? Object.entries($evaluators) : []));
    const all = Object.entries(flags).map(([key, flag]) => Flag.of(key, flag, segments, metadata));
    const [first] = all.flatMap(({ faults }) => faults);
    if (all.length > 0 && all.every(({ isUsable }) => !isUsable)) throw new Error(`no flag is usable: ${first}`);
    return new FlagdRules(all);
  }

  /** Parses JSON or YAML. Throws as `of` does. */
  static parse(text: string): FlagdRules {
    return FlagdRules.of(valuesIn(text));
  }

  evaluate(context: EvaluationContext): SourceResult {
    const input = flagdContext(context, this.reads);
    const features = new Map<FeatureKey, Resolution>();
    for (const flag of this.#flags) features.set(flag.key, flag.resolve(input));
    // It is unknown when a rule that reads the clock changes its result; flagd's clock has a resolution of seconds.
    return this.#readsClock ? { features } : { features, validUntil: Number.POSITIVE_INFINITY };
  }
}

/** Parses text that looks like JSON as JSON first, because YAML parsing takes much longer. */
function valuesIn(text: string): unknown {
  if (!text.trimStart().startsWith("{")) return yamlIn(text);
  try {
    return JSON.parse(text);
  } catch (fault) {
    try {
      return yamlIn(text);
    } catch {
      throw fault;
    }
  }
}

/**
 * The context of targeting rules, with the fields that they read; without `reads`, with all. Built-in fields override
 * attributes of the same name, so that clients cannot forge them.
 */
function flagdContext(context: EvaluationContext, reads: FlagdRules["reads"]): SharedContext {
  const isRead = (field: ContextField) => !reads || reads.includes(field);
  const locations = isRead("locations") ? context.locations : undefined;
  const second = secondOf(context);
  const fields = {
    ...(reads ? attributesIn(context, reads) : context.attributes),
    targetingKey: (isRead("targetingKey") ? context.targetingKey : undefined) ?? null,
    userId: (isRead("userId") ? context.userId : undefined) ?? null,
    location: locations?.[0] ?? null,
    locations: locations ?? null,
    ip: (isRead("ip") ? context.ip : undefined) ?? null,
    ...clockAt(second),
  };
  return sharedContext(fields as FlagdContext, second);
}

const attributesIn = ({ attributes = {} }: EvaluationContext, reads: readonly ContextField[]) =>
  Object.fromEntries(
    reads.flatMap((field) => {
      const name = field.startsWith("attributes.") ? field.slice("attributes.".length) : "";
      return Object.hasOwn(attributes, name) ? [[name, attributes[name]]] : [];
    }),
  );

const secondOf = ({ at }: EvaluationContext): number => Math.floor(at / 1_000);
