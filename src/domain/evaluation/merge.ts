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
export function merge(says: readonly SourceFeatures[]): ReadonlyMap<FeatureKey, Resolution> {
  const gates = new Map(says.filter(({ source: rule }) => rule.role === "gate").map((say) => [say.source.name, say]));
  const vetoes = says.filter(({ source: rule }) => rule.role === "veto");
  const on = new Map<FeatureKey, Resolution>();
  for (const { source: rule, features } of says) {
    if (rule.role !== "grant") continue;
    for (const [feature, resolution] of features) {
      if (!resolution.on || on.has(feature)) continue;
      if (vetoes.some((veto) => veto.features.get(feature)?.on)) continue;
      if (rule.gatedBy.every((name) => passes(gates.get(name), feature))) on.set(feature, resolution);
    }
  }
  return on;
}

function passes(gate: SourceFeatures | undefined, feature: FeatureKey): boolean {
  if (!gate) return false;
  return gate.features.get(feature)?.on ?? gate.source.default === "allow";
}
