import type { CachedRead } from "./cached-read.ts";
import type { Instant } from "./evaluation-context.ts";
import { type FeatureKey, isServedKey, type Json } from "./feature.ts";

/** The reason of a resolution, as OpenFeature defines it (specification section 2.2.5, "reason"). */
export type Reason = "STATIC" | "TARGETING_MATCH" | "SPLIT" | "DISABLED" | "DEFAULT";

/**
 * A source's resolution of one feature that it lists. Off and unlisted differ: an unlisted feature has no resolution.
 */
export type Resolution = {
  readonly on: boolean;
  /** The value that the client receives if the feature is on; `true` for a plain feature. */
  readonly value: Json;
  readonly variant?: string;
  readonly reason: Reason;
  /** Details of the evaluation, for explanations. */
  readonly metadata?: Readonly<Record<string, Json>>;
};

/** Source result: a resolution for each feature that the source lists, and its validity. */
export type SourceResult = {
  /**
   * Immutable. A source whose result is the same again should return the same map: comparing and checking it is faster.
   */
  readonly features: ReadonlyMap<FeatureKey, Resolution>;
  /** The reads behind the result. The result is valid only while all of them are current. */
  readonly dependencies?: readonly CachedRead<unknown>[];
  /**
   * The instant at which the result changes by itself, as far as is known; clients receive it. `Infinity` if never.
   * Omitted if not known: then the result is valid for a second.
   */
  readonly validUntil?: Instant;
};

/** The result of a source whose context fields are missing. It never changes by itself. */
export const emptyResult: SourceResult = { features: new Map(), validUntil: Number.POSITIVE_INFINITY };

const checked = new WeakSet<SourceResult["features"]>();

/** Throws if a result is invalid: a source from outside the repository may return anything. Checks each map once. */
export function checkResult({ features }: Partial<SourceResult> = {}): void {
  if (!(features instanceof Map)) throw new Error("the source returned no Map of features");
  if (checked.has(features)) return;
  for (const [feature, resolution] of features) {
    if (!isServedKey(feature) || typeof resolution?.on !== "boolean") {
      throw new Error(`the source returned an invalid feature or resolution: ${JSON.stringify(feature)}`);
    }
  }
  checked.add(features);
}
