import type { DocumentRecord, Revision } from "../admin/change.ts";
import type { Instant } from "../evaluation/evaluation-context.ts";
import type { FeatureKey } from "../evaluation/feature.ts";
import type { Event } from "./event.ts";

/** A set as it was. */
export type PastSet = {
  readonly features: readonly FeatureKey[];
  /** When what is told of it was last recorded. */
  readonly recordedAt: Instant;
};

/** The event that put a feature where it stands, or took it out of where it stood. */
export type LastChange = { readonly feature: FeatureKey; readonly on: boolean; readonly event: Event };

/** Port: what stores held, told from the activity log. `undefined` is: not known. */
export interface History {
  /** A set as it was at an instant: the fold of its records up to then. Not known before the first, nor where one of them left its members out. */
  setAt(store: string, key: string, at: Instant): Promise<PastSet | undefined>;
  /** When a set was first recorded. */
  firstRecord(store: string, key: string): Promise<Instant | undefined>;
  /** For each feature that a set ever held, what turned it last, up to an instant. Left out where retention has removed that event. */
  lastChanges(store: string, key: string, at: Instant): Promise<readonly LastChange[]>;
  /** A document as it was; not known before its first record. */
  documentAt(store: string, collection: string, name: string, at: Instant): Promise<DocumentRecord | undefined>;
  /**
   * Each document of a collection as it was, by name; the value of those that were removed is `null`. Those of which nothing was
   * recorded up to then are left out; not known where retention has removed what one of them was.
   */
  documentsAt(store: string, collection: string, at: Instant): Promise<ReadonlyMap<string, DocumentRecord> | undefined>;
  /** The keys of sets that were recorded, which begin with a prefix. */
  keys(store: string, prefix: string): Promise<readonly string[]>;
  /** The last revision recorded of each set of a store whose key begins with a prefix, in pages: those after a key, in the order of keys. */
  revisions(
    store: string,
    prefix: string,
    limit: number,
    after?: string,
  ): Promise<readonly { readonly key: string; readonly revision: Revision }[]>;
  /** The events that changed sets of a store, `from < at <= to`, oldest first. */
  changesOf(store: string, keys: readonly string[], from: Instant, to: Instant): Promise<readonly Event[]>;
  /** The events that changed documents of a collection, as above. */
  documentChangesOf(
    store: string,
    collection: string,
    names: readonly string[],
    from: Instant,
    to: Instant,
  ): Promise<readonly Event[]>;
}
