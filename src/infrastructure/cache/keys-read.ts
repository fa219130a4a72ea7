import type { KeyTemplate } from "../../domain/evaluation/key-template.ts";

/**
 * The keys that are read of a store: those with one of the prefixes, including fixed keys and the keys of collections.
 */
export type KeysRead = {
  readonly prefixes: readonly string[];
  readonly fixed: ReadonlySet<string>;
  /** The prefixes of keys with a location. Clients choose locations, so anyone can make up such a key. */
  readonly arbitrary: readonly string[];
  readonly collections: ReadonlySet<string>;
  /** The keys of users' stored locations. */
  readonly locations: readonly KeyTemplate[];
};
