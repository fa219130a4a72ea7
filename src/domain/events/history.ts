import type { DocumentRecord, Revision } from "../admin/change.ts";
import type { Instant } from "../evaluation/evaluation-context.ts";
import type { FeatureKey } from "../evaluation/feature.ts";
import type { Event } from "./event.ts";

/** A set at a past instant. */
export type PastSet = {
  readonly features: readonly FeatureKey[];
  /** The time of its last record up to then. */
  readonly recordedAt: Instant;
};

/** The event that added a feature to a set, or removed it. */
export type LastChange = { readonly feature: FeatureKey; readonly on: boolean; readonly event: Event };

/** History: the past content of stores, derived from the event log. `undefined`: not known. */
export interface History {
  /**
   * A set at an instant: the fold of its records up to then. Unknown before the first record, and if a record lacks the
   * members that are needed.
   */
  setAt(store: string, key: string, at: Instant): Promise<PastSet | undefined>;
  /** The time of the first record of a set. */
  firstRecord(store: string, key: string): Promise<Instant | undefined>;
  /**
   * The last change of each feature that the set ever held, or of `only` these, up to an instant. Omits a feature if
   * retention removed that event.
   */
  lastChanges(store: string, key: string, at: Instant, only?: readonly FeatureKey[]): Promise<readonly LastChange[]>;
  /** The last event that added a feature to a set with a prefix or removed it; the prefix may be the whole key. */
  lastChangeOf(store: string, prefix: string, feature: FeatureKey): Promise<Event | undefined>;
  /**
   * The position of the last event of each feature whose sets, rules or description changed after a position, and the
   * position up to which events were read.
   */
  changedFeatures(
    store: string,
    after: number,
  ): Promise<{ readonly positions: ReadonlyMap<FeatureKey, number>; readonly upTo: number }>;
  /** A document at an instant; not known before its first record. */
  documentAt(store: string, collection: string, name: string, at: Instant): Promise<DocumentRecord | undefined>;
  /**
   * The documents of a collection at an instant, by name; the value of a removed one is `null`. Omits documents without
   * a record up to then. Not known if retention removed the records that one of them needs.
   */
  documentsAt(store: string, collection: string, at: Instant): Promise<ReadonlyMap<string, DocumentRecord> | undefined>;
  /** The keys with a prefix of all recorded sets. */
  keys(store: string, prefix: string): Promise<readonly string[]>;
  /** The last recorded revision of each set with a prefix, in pages, sorted by key, starting after a key. */
  revisions(
    store: string,
    prefix: string,
    limit: number,
    after?: string,
  ): Promise<readonly { readonly key: string; readonly revision: Revision }[]>;
  /** The events that changed sets of a store, `from < at <= to`, oldest first. */
  changesOf(store: string, keys: readonly string[], from: Instant, to: Instant): Promise<readonly Event[]>;
  /** The events that changed documents of a collection, `from < at <= to`, oldest first. */
  documentChangesOf(
    store: string,
    collection: string,
    names: readonly string[],
    from: Instant,
    to: Instant,
  ): Promise<readonly Event[]>;
}
