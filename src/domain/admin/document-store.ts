import type { Json } from "../evaluation/feature.ts";
import type { Batch, BatchResult } from "./batch.ts";
import type { ChangeMeta, Revision } from "./change.ts";

/** A document of a store, with its revision. */
export type Document = { readonly value: Json; readonly revision: Revision };

/**
 * Change of a document; the value `null` removes it. With `ifRevision: null` the document is only created, never
 * replaced.
 */
export type DocumentChange = ChangeMeta & {
  readonly collection: string;
  readonly name: string;
  readonly value: Json;
  /** Whether the change begins an epoch, because the earlier records do not lead to it. */
  readonly newEpoch?: boolean;
};

/** The value before a change, `undefined` if the document did not exist, and the revision after it. */
export type ChangedDocument = { readonly before: Json | undefined; readonly revision: Revision };

/** A document to import. */
export type DocumentLoad = Pick<DocumentChange, "collection" | "name"> & { readonly value: Json };

/**
 * Document store: small JSON documents by name, in collections of up to about 10,000. Holds rules, feature descriptions
 * and credentials.
 *
 * A change and its record in the {@link ./outbox.ts} are one transaction. Rejects with `RevisionMismatch`, with
 * `StoreFull`, and with any other error if the store does not respond.
 */
export interface DocumentStore {
  /** Returns `undefined` if the document does not exist. */
  get(collection: string, name: string): Promise<Document | undefined>;
  /** All documents of a collection, by name. */
  all(collection: string): Promise<ReadonlyMap<string, Document>>;
  /** The revisions of all documents that ever existed in a collection, by name, removed ones included. */
  revisions(collection: string): Promise<ReadonlyMap<string, Revision>>;
  /**
   * Writes all documents of a batch with one record each, then stores the position of the import. Loading a batch again
   * completes one that was interrupted. Skips a document that already has this value. Does nothing if the import is not
   * at the start of the batch.
   */
  load(batch: Batch<DocumentLoad>): Promise<BatchResult>;
  put(change: DocumentChange): Promise<ChangedDocument>;
}
