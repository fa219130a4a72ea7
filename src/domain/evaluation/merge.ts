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
 *     passes(gate, f) = the gate has f on, or it does not list f and has `default: allow`
 *     on(f)           = no veto has f on, and some grant has f on whose every gate passes f
 *
 * Returns the features that are on, each with the resolution of the first granting source in the given order.
 * A gate that a grant names but that has no result blocks everything.
 */
export function merge(results: readonly SourceFeatures[]): ReadonlyMap<FeatureKey, Resolution> {
  const gates = gatesIn(results);
  const vetoes = results.filter(({ source }) => source.role === "veto");
  const on = new Map<FeatureKey, Resolution>();
  for (const { source, features } of results) {
    if (source.role !== "grant") continue;
    for (const [feature, resolution] of features) {
      if (!resolution.on || on.has(feature)) continue;
      if (vetoes.some((veto) => veto.features.get(feature)?.on)) continue;
      if (source.gatedBy.every((name) => passes(gates.get(name), feature))) on.set(feature, resolution);
    }
  }
  return on;
}

/** The grant by which a feature is on, by the merge rule; `undefined` if it is off. */
export function grantOf(results: readonly SourceFeatures[], feature: FeatureKey): SourceFeatures | undefined {
  if (results.some(({ source, features }) => source.role === "veto" && features.get(feature)?.on)) return undefined;
  const gates = gatesIn(results);
  return results.find(
    ({ source, features }) =>
      source.role === "grant" &&
      features.get(feature)?.on &&
      source.gatedBy.every((name) => passes(gates.get(name), feature)),
  );
}

const gatesIn = (results: readonly SourceFeatures[]): ReadonlyMap<string, SourceFeatures> =>
  new Map(results.flatMap((result) => (result.source.role === "gate" ? [[result.source.name, result]] : [])));

function passes(gate: SourceFeatures | undefined, feature: FeatureKey): boolean {
  if (!gate) return false;
  return gate.features.get(feature)?.on ?? gate.source.default === "allow";
}
