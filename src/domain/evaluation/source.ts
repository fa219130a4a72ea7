import type { FeatureResolver } from "./feature-resolver.ts";

/**
 * The roles of sources in the merge: a `grant` switches features on, a `gate` allows or denies the features of the
 * grants that name it, a `veto` switches features off regardless of grants.
 */
export const roles = ["grant", "gate", "veto"] as const;
export type Role = (typeof roles)[number];

/** The declaration of a source: its part in the merge, as configured. */
export type DeclaredSource = {
  readonly name: string;
  readonly role: Role;
  /** The gates that must allow a grant's features; empty for gates and vetoes. */
  readonly gatedBy: readonly string[];
  /** The result of a gate for a feature that it does not list. */
  readonly default: "allow" | "deny";
};

/** A configured source: a FeatureResolver with a name. */
export type Source = DeclaredSource & {
  readonly resolver: FeatureResolver;
  /** `fail`: the evaluation fails without this source. `skip`: the source is left out, and the response names it. */
  readonly onFailure: "fail" | "skip";
  /** The timeout of an evaluation, in milliseconds. */
  readonly timeoutMs: number;
};
