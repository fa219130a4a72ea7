import type { Json } from "../evaluation/feature.ts";
import type { Batch, BatchResult } from "./batch.ts";
import type { ChangeMeta, Revision } from "./change.ts";

/** A document as it stands in a store. */
export type Document = { readonly value: Json; readonly revision: Revision };

/** What somebody wants a document to be; `null` removes it. With `ifRevision: null` it is made only while it is not there. */
export type DocumentChange = ChangeMeta & {
  readonly collection: string;
  readonly name: string;
  readonly value: Json;
};

/** What a document is to be. */
export type DocumentLoad = Pick<DocumentChange, "collection" | "name"> & { readonly value: Json };

/**
 * Port: small JSON documents by name, in collections of up to some ten thousand: what is said of features, credentials.
 *
 * A change and its record in the store's {@link ./outbox.ts} are one. Rejects with `RevisionMismatch`, `StoreFull`, and any other
 * error when the store does not answer.
 */
export interface DocumentStore {
  /** `undefined` for one that is not there. */
  get(collection: string, name: string): Promise<Document | undefined>;
  /** All that are there, by name. */
  all(collection: string): Promise<ReadonlyMap<string, Document>>;
  /** At which revisions all are that ever were there, by name: also those that were removed. */
  revisions(collection: string): Promise<ReadonlyMap<string, Revision>>;
  /**
   * Puts all documents of a batch, or none where one cannot be, with a record each, and remembers how far the load has come. A document
   * that is so already is left alone. Does nothing where the load is elsewhere than at the batch's beginning.
   */
  load(batch: Batch<DocumentLoad>): Promise<BatchResult>;
  /** Answers what it was before; `undefined` where it was not there. */
  put(change: DocumentChange): Promise<{ readonly before: Json | undefined; readonly revision: Revision }>;
}
