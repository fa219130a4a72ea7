import type { CachedRead } from "../evaluation/cached-read.ts";
import type { FeatureKey, Json } from "../evaluation/feature.ts";
import type { DocumentStore } from "./document-store.ts";

/** The rules of a collection, by feature, as they are stored. The same map as long as no rule changes. */
export type RulesByFeature = ReadonlyMap<FeatureKey, Json>;

/** Port: reads the rules of single features, from collections of documents ({@link ./document-store.ts}). */
export interface Rules {
  /**
   * Returns synchronously if the rules are cached. Rejects if they cannot be read; the caller must not serve an older
   * value instead.
   */
  read(collection: string): CachedRead<RulesByFeature> | Promise<CachedRead<RulesByFeature>>;
}

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
