import type { DeclaredSource } from "../evaluation/source.ts";
import type { Reach } from "./reach.ts";

/** The states of a feature over all contexts, in the order of precedence. */
export const featureStates = ["killed", "unknown", "on", "on-for-some", "held", "scheduled", "off"] as const;

/**
 * State of a feature over all contexts.
 *
 * - `killed`: a veto has it on for everyone.
 * - `unknown`: an unavailable source could decide it.
 * - `on`: a grant has it on for everyone, and its gates pass it.
 * - `on-for-some`: a grant has it on for some contexts, and its gates pass it there.
 * - `held`: a grant has it on, and every such grant has a gate that blocks it.
 * - `scheduled`: a grant will have it on at a known time.
 * - `off`: no grant has it on.
 */
export type FeatureState = (typeof featureStates)[number];

/** A source, and its reach for one feature. */
export type Placement = { readonly source: DeclaredSource; readonly reach: Reach };

/** The state of a feature by the merge rule ({@link ../evaluation/merge.ts}). */
export function featureState(placements: readonly Placement[]): FeatureState {
  const vetoes = placements.filter(({ source }) => source.role === "veto").map(({ reach }) => reach.kind);
  if (vetoes.includes("everyone")) return "killed";
  const grants = new Set(grantsIn(placements).map(({ result }) => result));
  if (vetoes.includes("unknown") && (grants.has("everyone") || grants.has("some") || grants.has("unknown")))
    return "unknown";
  if (grants.has("everyone")) return vetoes.includes("some") ? "on-for-some" : "on";
  if (grants.has("unknown")) return "unknown";
  if (grants.has("some")) return "on-for-some";
  if (grants.has("held")) return "held";
  return grants.has("later") ? "scheduled" : "off";
}

/** For whom a grant has a feature on after its gates. `held`: it has the feature on, but a gate blocks it. */
export type GrantResult = "everyone" | "some" | "held" | "later" | "unknown" | "nobody";

/** The grants of a feature, each with its result after its gates. */
export function grantsIn(
  placements: readonly Placement[],
): readonly (Placement & { readonly result: GrantResult; readonly isPartlyGated: boolean })[] {
  const gates = new Map(
    placements.filter(({ source }) => source.role === "gate").map((gate) => [gate.source.name, gate]),
  );
  return placements
    .filter(({ source }) => source.role === "grant")
    .map((grant) => {
      const passes = grant.source.gatedBy.map((name) => passOf(gates.get(name)));
      return { ...grant, result: resultOf(grant, passes), isPartlyGated: passes.includes("some") };
    });
}

function resultOf({ source, reach }: Placement, passes: readonly Pass[]): GrantResult {
  const isBlocked = passes.includes("nobody");
  switch (reach.kind) {
    case "nobody":
    case "absent":
      return "nobody";
    case "later":
      return "later";
    case "unknown":
      return isBlocked ? "nobody" : "unknown";
    case "everyone":
    case "some": {
      const isUncounted = reach.kind === "some" && reach.users === null;
      // Users that were not counted are assumed only where gates list the feature, which operators do for its users.
      if (isUncounted && (isBlocked || source.gatedBy.length === 0)) return "nobody";
      if (isBlocked) return "held";
      if (passes.includes("unknown")) return "unknown";
      return reach.kind === "everyone" && passes.every((pass) => pass === "everyone") ? "everyone" : "some";
    }
  }
}

/** The contexts in which a gate passes a feature. */
type Pass = "everyone" | "some" | "nobody" | "unknown";

function passOf(gate: Placement | undefined): Pass {
  if (!gate) return "nobody";
  const { kind } = gate.reach;
  if (kind === "absent") return gate.source.default === "allow" ? "everyone" : "nobody";
  return kind === "later" ? "nobody" : kind;
}
