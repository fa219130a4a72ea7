import type { FeatureKey } from "../evaluation/feature.ts";
import { gateAllows } from "../evaluation/merge.ts";
import type { DeclaredSource } from "../evaluation/source.ts";
import type { Resolution } from "../evaluation/source-result.ts";

/**
 * Why a source has no result. `unavailable`: it fails, and so does the evaluation. `skipped`: it fails and is merged as
 * absent. `no-history`: its history does not reach back to that time.
 */
export type NoResultReason = "no-history" | "unavailable" | "skipped";

/** The features of one source, or why it has no result. */
export type SourceOutcome = {
  readonly source: DeclaredSource;
  readonly features: ReadonlyMap<FeatureKey, Resolution> | NoResultReason;
};

/** The result of one source for one feature; `absent` if the source does not list it. */
export type FeatureOutcome = "on" | "off" | "absent" | NoResultReason;

/** The cause of a verdict; each kind names sources. */
export type Cause =
  /** This veto switches it off. */
  | { readonly kind: "vetoed"; readonly veto: string }
  /** This grant switches it on, and these gates allow it. */
  | { readonly kind: "granted"; readonly grant: string; readonly gates: readonly string[] }
  /** This grant switches it on, but this gate denies it. The gates of no other grant allow it. */
  | { readonly kind: "held"; readonly grant: string; readonly gate: string }
  /** No grant switches it on. */
  | { readonly kind: "ungranted" }
  /** It depends on these sources, which have no result. */
  | { readonly kind: "undetermined"; readonly dependsOn: readonly string[] };

/** Whether a feature is on, and why. */
export type Explanation = {
  readonly feature: FeatureKey;
  /** `undefined` if the known results allow both. */
  readonly on: boolean | undefined;
  readonly cause: Cause;
  /** The resolution of the granting source, if the feature is on. */
  readonly resolution?: Resolution;
  /** The result of each source, in the given order. */
  readonly results: readonly { readonly source: string; readonly result: FeatureOutcome }[];
};

/** A source with its result for the feature. */
type SourceWithResult = { readonly source: DeclaredSource; readonly result: FeatureOutcome };

/**
 * Explains the result of the merge rule ({@link ../evaluation/merge.ts}) for one feature. If required sources have no
 * result, it returns the state that holds for every result of theirs; the feature is undetermined if both states are
 * possible.
 */
export function explain(feature: FeatureKey, outcomes: readonly SourceOutcome[]): Explanation {
  const results = outcomes.map(({ source, features }) => ({ source, result: resultFor(feature, features) }));
  const cause = causeOf(results);
  const granting =
    cause.kind === "granted" ? outcomes.find(({ source }) => source.name === cause.grant)?.features : undefined;
  const resolution = granting instanceof Map ? granting.get(feature) : undefined;
  return {
    feature,
    on: isOnBy(cause),
    cause,
    ...(resolution ? { resolution } : {}),
    results: results.map(({ source, result }) => ({ source: source.name, result })),
  };
}

/** Whether a feature is on with these results; `undefined` if they allow both. */
export const isOnWith = (results: readonly SourceWithResult[]): boolean | undefined => isOnBy(causeOf(results));

const isOnBy = ({ kind }: Cause): boolean | undefined => (kind === "undetermined" ? undefined : kind === "granted");

/** The sources that a cause names; of an undetermined feature, those that it depends on. */
export function decidingSources(cause: Cause): readonly string[] {
  switch (cause.kind) {
    case "vetoed":
      return [cause.veto];
    case "granted":
      return [cause.grant, ...cause.gates];
    case "held":
      return [cause.grant, cause.gate];
    case "ungranted":
      return [];
    case "undetermined":
      return cause.dependsOn;
  }
}

/** The features that at least one source lists. */
export function knownFeatures(outcomes: readonly SourceOutcome[]): ReadonlySet<FeatureKey> {
  return new Set(outcomes.flatMap(({ features }) => (typeof features === "string" ? [] : [...features.keys()])));
}

function resultFor(feature: FeatureKey, features: SourceOutcome["features"]): FeatureOutcome {
  if (typeof features === "string") return features;
  const resolution = features.get(feature);
  return resolution ? (resolution.on ? "on" : "off") : "absent";
}

function causeOf(results: readonly SourceWithResult[]): Cause {
  const vetoes = results.filter(({ source }) => source.role === "veto");
  const veto = vetoes.find(({ result }) => result === "on");
  if (veto) return { kind: "vetoed", veto: veto.source.name };

  const gates = new Map(results.filter(({ source }) => source.role === "gate").map((gate) => [gate.source.name, gate]));
  const grants = results.filter(({ source }) => source.role === "grant").map((grant) => causeFor(grant, gates));
  const missingVetoes = vetoes.filter(hasNoResult).map(({ source }) => source.name);
  const granted = grants.find((grant) => grant.kind === "granted");
  if (granted) return missingVetoes.length > 0 ? { kind: "undetermined", dependsOn: missingVetoes } : granted;
  const missing = grants.flatMap((grant) => (grant.kind === "undetermined" ? grant.dependsOn : []));
  if (missing.length > 0) return { kind: "undetermined", dependsOn: [...new Set([...missing, ...missingVetoes])] };
  return grants.find((grant) => grant.kind === "held") ?? { kind: "ungranted" };
}

/** The cause if this were the only grant, and no veto existed. */
function causeFor({ source, result }: SourceWithResult, gates: ReadonlyMap<string, SourceWithResult>): Cause {
  const isMissing = hasNoResult({ result });
  if (result !== "on" && !isMissing) return { kind: "ungranted" };
  const allowed = source.gatedBy.map((gate) => ({ gate, isAllowed: allows(gates.get(gate)) }));
  const denying = allowed.find(({ isAllowed }) => isAllowed === false);
  if (denying) return isMissing ? { kind: "ungranted" } : { kind: "held", grant: source.name, gate: denying.gate };
  const missingGates = allowed.filter(({ isAllowed }) => isAllowed === undefined).map(({ gate }) => gate);
  const dependsOn = isMissing ? [source.name, ...missingGates] : missingGates;
  if (dependsOn.length > 0) return { kind: "undetermined", dependsOn };
  return { kind: "granted", grant: source.name, gates: source.gatedBy };
}

/** Whether a gate allows the feature, as in the merge; `undefined` if the gate has no result. */
function allows(gate: SourceWithResult | undefined): boolean | undefined {
  if (!gate || gate.result === "skipped") return false;
  if (hasNoResult(gate)) return undefined;
  return gateAllows(gate.source, gate.result === "absent" ? undefined : gate.result === "on");
}

/** Whether the result of a source is not known, so that features may depend on it. */
export const hasNoResult = ({ result }: { readonly result: FeatureOutcome }): boolean =>
  result === "no-history" || result === "unavailable";
