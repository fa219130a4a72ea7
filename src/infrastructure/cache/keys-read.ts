import type { KeyTemplate } from "../../domain/evaluation/key-template.ts";

/**
 * What is read of a store: keys that begin with one of the prefixes; among them some that are always the same, and those of
 * collections.
 */
export type KeysRead = {
  readonly prefixes: readonly string[];
  readonly fixed: ReadonlySet<string>;
  readonly collections: ReadonlySet<string>;
  /** The keys of users' places. */
  readonly places: readonly KeyTemplate[];
};
