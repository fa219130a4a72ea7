import type { FeatureKey } from "./feature.ts";
import type { DeclaredSource } from "./source.ts";
import type { Resolution } from "./source-result.ts";

/** The features of one source, with its role in the merge. */
export type SourceFeatures = {
  readonly source: DeclaredSource;
  readonly features: ReadonlyMap<FeatureKey, Resolution>;
};

/**
 * The merge rule:
 *
 *     allows(gate, f) = the gate has f on, or it does not list f and has `default: allow`
 *     on(f)           = no veto has f on, and some grant has f on whose every gate allows f
 *
 * Returns the features that are on, each with the resolution of the first granting source in the given order.
 * A gate that a grant names but that has no result denies everything.
 */
export function merge(results: readonly SourceFeatures[]): ReadonlyMap<FeatureKey, Resolution> {
  const vetoes = results.filter(({ source, features }) => source.role === "veto" && features.size > 0);
  const on = new Map<FeatureKey, Resolution>();
  for (const { source, features } of results) {
    if (source.role !== "grant") continue;
    const gates = gatesOf(source, results);
    // The iterator of a map would create two objects for each feature, which costs more than the rule.
    features.forEach((resolution, feature) => {
      if (!resolution.on || on.has(feature)) return;
      for (const veto of vetoes) if (veto.features.get(feature)?.on) return;
      for (const gate of gates) if (!allows(gate, feature)) return;
      on.set(feature, resolution);
    });
  }
  return on;
}

/** The grant by which a feature is on, by the merge rule; `undefined` if it is off. */
export function grantOf(results: readonly SourceFeatures[], feature: FeatureKey): SourceFeatures | undefined {
  if (results.some(({ source, features }) => source.role === "veto" && features.get(feature)?.on)) return undefined;
  return results.find(
    ({ source, features }) =>
      source.role === "grant" &&
      features.get(feature)?.on &&
      gatesOf(source, results).every((gate) => allows(gate, feature)),
  );
}

/** The gates that a grant names; `undefined` for one without a result. */
const gatesOf = (
  { gatedBy }: DeclaredSource,
  results: readonly SourceFeatures[],
): readonly (SourceFeatures | undefined)[] =>
  gatedBy.map((name) => results.find(({ source }) => source.role === "gate" && source.name === name));

function allows(gate: SourceFeatures | undefined, feature: FeatureKey): boolean {
  return gate !== undefined && gateAllows(gate.source, gate.features.get(feature)?.on);
}

/** Whether a gate allows a feature. `on` is its result; `undefined` if it does not list the feature. */
export const gateAllows = (gate: DeclaredSource, on: boolean | undefined): boolean => on ?? gate.default === "allow";
