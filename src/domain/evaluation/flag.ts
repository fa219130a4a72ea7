import { type FeatureKey, inOrder, type Json } from "./feature.ts";
import { grantOf, type SourceFeatures } from "./merge.ts";
import type { Reason, Resolution } from "./source-result.ts";

/** Flag: the evaluation of one known feature, on or off, as OpenFeature clients receive it. */
export type Flag = {
  readonly key: FeatureKey;
  readonly on: boolean;
  /** Absent: the client uses the default in its code. */
  readonly value?: Json;
  readonly variant?: string;
  readonly reason: Reason;
  /** The source that decided; absent if no source lists the feature. */
  readonly source?: string;
  /** Details of the evaluation by that source. */
  readonly metadata?: Resolution["metadata"];
};

/** The flags of all features that are known or that a source lists, sorted by code point. */
export function flagsOf(results: readonly SourceFeatures[], known: Iterable<FeatureKey>): readonly Flag[] {
  const keys = new Set(known);
  for (const { features } of results) for (const key of features.keys()) keys.add(key);
  return inOrder(keys).map((key) => flagOf(results, key));
}

/**
 * The flag of one feature. A feature that is on has the value, variant and reason of the granting source. One that is
 * off is `false` with the reason DISABLED; but if the first grant that lists it evaluates it to a variant, it has that
 * variant's value and reason. A feature with values other than booleans has no value if no source evaluates it, because
 * `false` would be a type error for its clients.
 */
export function flagOf(results: readonly SourceFeatures[], key: FeatureKey): Flag {
  const grant = grantOf(results, key);
  const resolution = grant?.features.get(key);
  if (grant && resolution) return evaluated(key, grant, resolution);
  const veto = results.find(({ source, features }) => source.role === "veto" && features.get(key)?.on);
  const listing = results.find(({ source, features }) => source.role === "grant" && features.has(key));
  const off = listing?.features.get(key);
  if (!veto && listing && off && !off.on && off.variant !== undefined) return evaluated(key, listing, off);
  const decider = veto ?? listing;
  return {
    key,
    on: false,
    ...(isTyped(results, key) ? {} : { value: false }),
    reason: "DISABLED",
    ...(decider && { source: decider.source.name }),
  };
}

const evaluated = (key: FeatureKey, { source }: SourceFeatures, resolution: Resolution): Flag => ({
  key,
  on: resolution.on,
  ...(resolution.value === null ? {} : { value: resolution.value }),
  ...(resolution.variant === undefined ? {} : { variant: resolution.variant }),
  reason: resolution.reason,
  source: source.name,
  ...(resolution.metadata === undefined ? {} : { metadata: resolution.metadata }),
});

/** Whether a source gives the feature a value that is not a boolean. */
const isTyped = (results: readonly SourceFeatures[], key: FeatureKey): boolean =>
  results.some(({ features }) => {
    const resolution = features.get(key);
    return resolution !== undefined && typeof resolution.value !== "boolean";
  });
