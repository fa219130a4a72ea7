import type { EvaluationContext as FlagdContext } from "@openfeature/core";
import { type FeatureFlag, MemoryStorage } from "@openfeature/flagd-core";
import { notServed } from "../../../domain/errors.ts";
import type { ContextField, EvaluationContext } from "../../../domain/evaluation/evaluation-context.ts";
import { type FeatureKey, isServedKey } from "../../../domain/evaluation/feature.ts";
import type { Reason, Resolution, SourceResult } from "../../../domain/evaluation/source-result.ts";
import { yamlIn } from "../../../infrastructure/yaml-values.ts";
import { misspellings, structuralFault } from "./flag-faults.ts";
import { clockAt, isMap, type JsonMap, whatIsRead, withClock } from "./targeting.ts";

const silent = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} };

/** flagd's flag definitions, evaluated by its own library. Immutable. */
export class FlagdRules {
  readonly #flags: readonly (readonly [FeatureKey, FeatureFlag])[];
  /** Results of flags that cannot be evaluated. */
  readonly #broken: ReadonlyMap<FeatureKey, Resolution>;
  readonly #readsClock: boolean;
  /** The context fields that results depend on; `undefined` if they can depend on any field. */
  readonly reads: readonly ContextField[] | undefined;
  /** Faults of single flags, each with the flag's name. Flags that cannot be evaluated are off. */
  readonly faults: readonly string[];

  /** Throws, with the reason, if the definitions are unusable as a whole: no map of flags, or no usable flag. */
  constructor(definitions: unknown) {
    if (!isMap(definitions) || !isMap(definitions["flags"])) throw new Error("there is no map of `flags` in it");
    const entries = Object.entries(definitions["flags"]);
    const broken = entries.flatMap(([key, flag]) => {
      const fault = isServedKey(key) ? structuralFault(flag) : notServed(key).message;
      return fault === undefined ? [] : [[key, fault] as const];
    });
    const faults = broken.map(([key, fault]) => `${named(key)}: ${fault}`);
    if (entries.length > 0 && broken.length === entries.length) throw new Error(`no flag is usable: ${faults[0]}`);
    this.#broken = new Map(broken.flatMap(([key, fault]) => (isServedKey(key) ? [[key, brokenBy(fault)]] : [])));
    const isBroken = new Set(broken.map(([key]) => key));
    const sound = entries.filter(([key]) => !isBroken.has(key));
    const usable = { ...definitions, flags: Object.fromEntries(sound) };
    const { fields, clock } = whatIsRead(usable);
    this.#flags = flagsOf(usable);
    this.#readsClock = clock;
    this.reads = fields;
    this.faults = [
      ...faults,
      ...sound.flatMap(([key, flag]) => misspellings(flag).map((fault) => `${named(key)}: ${fault}`)),
      ...this.#flags.flatMap(([key, flag]) => {
        const { errorMessage } = flag.evaluate({}, silent);
        return errorMessage === undefined ? [] : [`${named(key)}: ${errorMessage}`];
      }),
    ];
  }

  /** Parses JSON or YAML. Throws as the constructor does. */
  static parse(text: string): FlagdRules {
    return new FlagdRules(valuesIn(text));
  }

  answer(context: EvaluationContext): SourceResult {
    const asked = flagdContext(context, this.reads);
    const features = new Map([
      ...this.#broken,
      ...this.#flags.map(([key, flag]) => [key, resolutionOf(flag, asked)] as const),
    ]);
    // It is unknown when a rule that reads the clock changes its result; flagd's clock has a resolution of seconds.
    return this.#readsClock ? { features } : { features, validUntil: Number.POSITIVE_INFINITY };
  }
}

const named = (key: string): string => `flag ${JSON.stringify(key.slice(0, 200))}`;

const brokenBy = (error: string): Resolution => ({ on: false, value: null, reason: "DEFAULT", metadata: { error } });

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

function flagsOf(definitions: JsonMap): readonly (readonly [FeatureKey, FeatureFlag])[] {
  // Generates no code from the definitions: they can be untrusted, and compiled rules are not faster.
  const storage = new MemoryStorage(silent, { disableDynamicCodeGeneration: true });
  try {
    storage.setConfigurations(JSON.stringify(withClock(definitions)));
  } catch (error) {
    // The cause holds the actual fault.
    throw error instanceof Error && error.cause instanceof Error ? error.cause : error;
  }
  return [...storage.getFlags()];
}

/**
 * The context of targeting rules, with the fields that they read; without `reads`, with all. Built-in fields override
 * attributes of the same name, so that clients cannot forge them.
 */
function flagdContext(context: EvaluationContext, reads: FlagdRules["reads"]): FlagdContext {
  const isRead = (field: ContextField) => !reads || reads.includes(field);
  const locations = isRead("locations") ? context.locations : undefined;
  return {
    ...(reads ? attributesIn(context, reads) : context.attributes),
    targetingKey: (isRead("targetingKey") ? context.targetingKey : undefined) ?? null,
    userId: (isRead("userId") ? context.userId : undefined) ?? null,
    location: locations?.[0] ?? null,
    locations: locations ?? null,
    ip: (isRead("ip") ? context.ip : undefined) ?? null,
    ...clockAt(secondOf(context)),
  } as FlagdContext;
}

const attributesIn = ({ attributes = {} }: EvaluationContext, reads: readonly ContextField[]) =>
  Object.fromEntries(
    reads.flatMap((field) => {
      const name = field.startsWith("attributes.") ? field.slice("attributes.".length) : "";
      return Object.hasOwn(attributes, name) ? [[name, attributes[name]]] : [];
    }),
  );

const secondOf = ({ at }: EvaluationContext): number => Math.floor(at / 1_000);

const reasons: readonly Reason[] = ["STATIC", "TARGETING_MATCH"];

/** A flag is on if it is enabled and its value is neither `false` nor absent. */
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
