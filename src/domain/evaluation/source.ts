import type { FeatureResolver } from "./feature-resolver.ts";

/**
 * What a source's answer does in the merge: a `grant` switches on, a `gate` lets through what
 * grants name it for, a `veto` switches off whatever anybody granted.
 */
export const roles = ["grant", "gate", "veto"] as const;
export type Role = (typeof roles)[number];

/** What a source does in the merge, as the configuration declares it. */
export type DeclaredSource = {
  readonly name: string;
  readonly role: Role;
  /** The gates that must let a grant's features through; empty for gates and vetoes. */
  readonly gatedBy: readonly string[];
  /** What a gate does with a feature it does not know. */
  readonly unlisted: "pass" | "block";
};

/** A named, configured FeatureResolver. */
export type Source = DeclaredSource & {
  readonly resolver: FeatureResolver;
  /** `fail`: no answer without this source. `skip`: it is left out, and the answer says so. */
  readonly onFailure: "fail" | "skip";
  /** How long it may take to answer, in milliseconds. */
  readonly timeoutMs: number;
};
