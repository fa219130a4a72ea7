import type { KeyTemplate } from "../../domain/evaluation/key-template.ts";

/** What is read of a store: keys with one of the prefixes, including fixed keys and the keys of collections. */
export type KeysRead = {
  readonly prefixes: readonly string[];
  readonly fixed: ReadonlySet<string>;
  readonly collections: ReadonlySet<string>;
  /** The keys of users' places. */
  readonly locations: readonly KeyTemplate[];
};
