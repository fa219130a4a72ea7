import type { Instant } from "../evaluation/evaluation-context.ts";
import type { FeatureKey, Json } from "../evaluation/feature.ts";

/**
 * Revision: counts the changes of a set, document or token. Numbers have no gap within an epoch. A new epoch starts at
 * the first change, and when the store may have lost revisions.
 */
export type Revision = { readonly epoch: string; readonly number: number };

/** Whether both revisions have the same epoch and number, or both are absent. */
export const isSameRevision = (one: Revision | undefined, other: Revision | undefined): boolean =>
  one?.epoch === other?.epoch && one?.number === other?.number;

/** A revision as text: `epoch.number`. */
export const revisionText = ({ epoch, number }: Revision): string => `${epoch}.${number}`;

/** Metadata that every change has. */
export type ChangeMeta = {
  /** The id of its record: a UUIDv7 (RFC 9562). */
  readonly id: string;
  /**
   * The actor: the name of a credential, or of the user of the command line. Never taken from a field of the request.
   */
  readonly by: string;
  /** The email address of the actor, if known. */
  readonly email?: string;
  /**
   * Idempotency key. A change of the same item with a key that was used within 24 h is not made again; the result is
   * that of the first one.
   */
  readonly idempotencyKey?: string;
  /**
   * Precondition: the change is made only at this revision, otherwise it rejects with `RevisionMismatch`. `null`: only
   * if it was never changed.
   */
  readonly ifRevision?: Revision | null;
  /** A comment of the author. */
  readonly note?: string;
  /** The id of the event that the change reverts. */
  readonly reverts?: string;
  /** An id that all changes of one request share. */
  readonly batch?: string;
  /** `page`: made on the backoffice page. Absent: made by the API, the command line or an import. */
  readonly via?: "page";
};

/** Options of a change: its actor, idempotency key and precondition. The use case adds the id. */
export type ChangeOptions = Omit<ChangeMeta, "id">;

/** The fields of a change that its record has too. */
export type RecordMeta = Pick<ChangeMeta, "id" | "by" | "email" | "note" | "reverts" | "batch" | "via">;

/** Fields that every record has. */
type RecordBase = RecordMeta & {
  /** The clock of the store. Never before `at` of an earlier record of the same item. */
  readonly at: Instant;
  readonly revision: Revision;
};

/**
 * `change`: made through Tidegate. `external`: made outside Tidegate. `baseline`: the content of a set at the start of
 * an epoch.
 */
export const changeOrigins = ["change", "external", "baseline"] as const;
export type ChangeOrigin = (typeof changeOrigins)[number];

/** Record of a change of a set. */
export type SetRecord = RecordBase & {
  readonly of: "set";
  readonly key: string;
  readonly origin: ChangeOrigin;
  /** The members that were added and removed; both empty if only the set after the change is known. */
  readonly added: readonly FeatureKey[];
  readonly removed: readonly FeatureKey[];
  /** The whole set after the change, if the record holds it. Such a record gives the set without earlier records. */
  readonly members?: readonly FeatureKey[];
  /** The number of members after the change, invalid feature keys included. Records never hold invalid keys. */
  readonly size: number;
};

/** Record of a change of a document. */
export type DocumentRecord = RecordBase & {
  readonly of: "document";
  readonly collection: string;
  readonly name: string;
  /** The value after the change; `null` if the document was removed. */
  readonly value: Json;
};

/** Record of a change of a token. It does not hold the token. */
export type TokenRecord = RecordBase & {
  readonly of: "token";
  readonly tokenId: string;
  readonly userId: string;
  readonly origin: "issued" | "revoked";
};

/** The metadata of a change, for its record. */
export const recordMetaOf = ({ id, by, email, note, reverts, batch, via }: ChangeMeta): RecordMeta => ({
  id,
  by,
  ...(email !== undefined && { email }),
  ...(note !== undefined && { note }),
  ...(reverts !== undefined && { reverts }),
  ...(batch !== undefined && { batch }),
  ...(via !== undefined && { via }),
});

/** Record of a change. The store that holds the changed data keeps it. */
export type ChangeRecord = SetRecord | DocumentRecord | TokenRecord;

/** The actor of changes that were made outside Tidegate, and of records that Tidegate makes by itself. */
export const externalActor = "external";
/** The beginning of the name of an actor who uses the command line. */
export const cliActorPrefix = "cli:";

/** The key of a changed item: the set's key, `collection/name` of a document, or `tokens/id` of a token. */
export function changedKey(record: ChangeRecord): string {
  switch (record.of) {
    case "set":
      return record.key;
    case "document":
      return documentKey(record.collection, record.name);
    case "token":
      return `tokens/${record.tokenId}`;
  }
}

/** The key of a document in events. */
export const documentKey = (collection: string, name: string): string => `${collection}/${name}`;
