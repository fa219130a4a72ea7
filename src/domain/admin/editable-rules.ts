import type { Json } from "../evaluation/feature.ts";
import type { DocumentStore } from "./document-store.ts";
import type { Rules } from "./rules.ts";

/** A fault of a value: a JSON pointer (RFC 6901), and the fix. */
type RuleFault = { readonly pointer: string; readonly detail: string };

/** Check of a rule by its source kind: returns the rule to store, or the faults of the value. */
export type RuleCheck = (value: Json) => { readonly rule: Json } | { readonly faults: readonly RuleFault[] };

/** Editable rules: a collection of one store that a source reads and operators change. */
export type EditableRules = {
  readonly collection: string;
  /** The configured name of the connection. */
  readonly connection: string;
  readonly rules: Rules;
  readonly documents: DocumentStore;
  readonly check: RuleCheck;
};
