import type { ValueFault } from "../errors.ts";
import type { Json } from "../evaluation/feature.ts";
import type { FeatureResolver } from "../evaluation/feature-resolver.ts";
import type { Rules } from "../evaluation/rules.ts";
import type { DocumentStore } from "./document-store.ts";

/**
 * Check of the rule or segment of a name by its source kind: returns the value to store, or the faults of the value.
 */
export type RuleCheck = (
  name: string,
  value: Json,
) => { readonly rule: Json } | { readonly faults: readonly ValueFault[] };

/** Editable rules: a collection of one store that a source reads and operators change. */
export type EditableRules = {
  readonly collection: string;
  /** The configured name of the connection. */
  readonly connection: string;
  readonly rules: Rules;
  readonly documents: DocumentStore;
  readonly check: RuleCheck;
  /**
   * A resolver of the source's kind that has no rule but this one of a feature (`undefined`: none), and the segments.
   * The caller disposes of it.
   */
  readonly trial: (feature: string, rule: Json | undefined) => Promise<FeatureResolver>;
  /** Whether a name in the collection is a feature. Otherwise it is a segment, which rules of features share. */
  readonly isFeature: (name: string) => boolean;
};
