import type { DeclaredSource } from "../evaluation/source.ts";
import type { Reach } from "./reach.ts";

/** The states of a feature over all contexts, in the order of precedence. */
export const featureStates = ["killed", "unknown", "on", "on-for-some", "held", "scheduled", "off"] as const;

/**
 * State of a feature over all contexts.
 *
 * - `killed`: a veto switches it off for everyone.
 * - `unknown`: an unavailable source could decide it.
 * - `on`: a grant switches it on for everyone, and its gates allow it.
 * - `on-for-some`: a grant switches it on for some contexts, and its gates allow it there.
 * - `held`: grants switch it on, but a gate of each denies it.
 * - `scheduled`: a grant will switch it on at a known time.
 * - `off`: no grant switches it on.
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

/** For whom a grant switches a feature on after its gates. `held`: it does, but a gate denies the feature. */
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
      const allowed = grant.source.gatedBy.map((name) => allowedBy(gates.get(name)));
      return { ...grant, result: resultOf(grant, allowed), isPartlyGated: allowed.includes("some") };
    });
}

function resultOf({ source, reach }: Placement, allowed: readonly Allowed[]): GrantResult {
  const isDenied = allowed.includes("nobody");
  switch (reach.kind) {
    case "nobody":
    case "absent":
      return "nobody";
    case "later":
      return "later";
    case "unknown":
      return isDenied ? "nobody" : "unknown";
    case "everyone":
    case "some": {
      const isUncounted = reach.kind === "some" && reach.users === null;
      // Users that were not counted are assumed only where gates list the feature, which operators do for its users.
      if (isUncounted && (isDenied || source.gatedBy.length === 0)) return "nobody";
      if (isDenied) return "held";
      if (allowed.includes("unknown")) return "unknown";
      return reach.kind === "everyone" && allowed.every((each) => each === "everyone") ? "everyone" : "some";
    }
  }
}

/** The contexts in which a gate allows a feature. */
type Allowed = "everyone" | "some" | "nobody" | "unknown";

function allowedBy(gate: Placement | undefined): Allowed {
  if (!gate) return "nobody";
  const { kind } = gate.reach;
  if (kind === "absent") return gate.source.default === "allow" ? "everyone" : "nobody";
  return kind === "later" ? "nobody" : kind;
}
