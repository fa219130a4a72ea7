import { FeatureFlag, type Flag as FlagDefinition } from "@openfeature/flagd-core";
import { notServed } from "../../../domain/errors.ts";
import { type FeatureKey, isServedKey, type Json } from "../../../domain/evaluation/feature.ts";
import type { Reason, Resolution } from "../../../domain/evaluation/source-result.ts";
import { withCachedVersions } from "./cached-versions.ts";
import { type Misspelling, misspellings, structuralFault } from "./flag-faults.ts";
import type { Segments } from "./segments.ts";
import { type SharedContext, targetingResult } from "./shared-context.ts";
import { silent } from "./silent-log.ts";
import { isMap, type JsonMap, type Read, whatIsRead, withClock } from "./targeting.ts";

const reasons: readonly Reason[] = ["STATIC", "TARGETING_MATCH"];
const nothing: Read = { fields: [], clock: false };

/** A flag of flagd, evaluated by its own library. Immutable. A flag with a fault that prevents evaluation is off. */
export class Flag {
  readonly key: FeatureKey;
  /** Whether its members fit flagd. If not, flagd's library would reject the whole document. */
  readonly isUsable: boolean;
  readonly faults: readonly string[];
  readonly read: Read;
  readonly usesSegments: boolean;
  readonly #flag: FeatureFlag | undefined;
  readonly #broken: Resolution | undefined;

  /** `fault` prevents evaluation. */
  private constructor(key: FeatureKey, flag: FeatureFlag | undefined, parts: Partial<Flag>, fault?: string) {
    this.key = key;
    this.#flag = flag;
    this.isUsable = parts.isUsable ?? true;
    this.read = parts.read ?? nothing;
    this.usesSegments = parts.usesSegments ?? false;
    this.faults = (fault === undefined ? (parts.faults ?? []) : [fault]).map((each) => `flag ${named(key)}: ${each}`);
    this.#broken =
      fault === undefined ? undefined : { on: false, value: null, reason: "DEFAULT", metadata: { error: fault } };
  }

  /** A flag with `metadata` of all flags. Its own metadata take precedence. */
  static of(key: FeatureKey, definition: Json, segments: Segments, metadata: Json = {}): Flag {
    const fault = isServedKey(key) ? structuralFault(definition) : notServed(key).message;
    if (fault !== undefined || !isMap(definition)) return Flag.broken(key, fault ?? "not a map");
    const { targeting = null } = definition;
    let rule: Json;
    try {
      rule = segments.applyTo(targeting);
    } catch (error) {
      return new Flag(key, undefined, { usesSegments: true }, (error as Error).message);
    }
    const flag = compiled(key, {
      ...definition,
      ...(rule !== null && { targeting: withClock(rule) }),
      metadata: {
        ...(isMap(metadata) ? metadata : {}),
        ...(isMap(definition["metadata"]) ? definition["metadata"] : {}),
      },
    });
    const { errorMessage } = flag.evaluate({}, silent);
    const faults = [...misspellings(definition).map(ignored), ...(errorMessage === undefined ? [] : [errorMessage])];
    return new Flag(key, flag, { faults, read: whatIsRead(rule), usesSegments: rule !== targeting });
  }

  /** A flag that is off because of a fault. */
  static broken(key: FeatureKey, fault: string): Flag {
    return new Flag(key, undefined, { isUsable: false }, fault);
  }

  /** A flag is on if it is enabled and its value is neither `false` nor absent. */
  resolve(context: SharedContext): Resolution {
    const flag = this.#flag;
    if (!flag) return this.#broken as Resolution;
    const { metadata } = flag;
    if (flag.state === "DISABLED") return { on: false, value: null, reason: "DISABLED", metadata };
    const result = targetingResult(flag, context);
    const name = String(result?.value ?? flag.defaultVariant);
    const found = result && flag.variants.get(name);
    if (found !== undefined) {
      const reason = result?.value == null ? "DEFAULT" : "TARGETING_MATCH";
      return { on: found !== null && found !== false, value: found, variant: name, reason, metadata };
    }
    const { value = null, variant, reason, errorCode, errorMessage } = flag.evaluate(context, silent);
    return {
      on: value !== null && value !== false,
      value,
      ...(variant === undefined ? {} : { variant }),
      reason: reasons.find((known) => known === reason) ?? "DEFAULT",
      metadata: errorCode === undefined ? metadata : { ...metadata, error: `${errorCode}: ${errorMessage}` },
    };
  }
}

const ignored = ({ name, suggestion }: Misspelling): string => `flagd ignores ${named(name)}; write ${suggestion}`;

const named = (key: string): string => JSON.stringify(key.slice(0, 200));

/** Generates no code from the definition: it can be untrusted, and compiled rules are not faster. */
const compiled = (key: FeatureKey, definition: JsonMap): FeatureFlag =>
  withCachedVersions(
    new FeatureFlag(key, definition as unknown as FlagDefinition, silent, { disableDynamicCodeGeneration: true }),
  );
