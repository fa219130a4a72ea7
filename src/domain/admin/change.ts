import type { Instant } from "../evaluation/evaluation-context.ts";
import type { FeatureKey, Json } from "../evaluation/feature.ts";

/**
 * How often something was changed. Numbers follow each other without a gap within an epoch; a new epoch begins where
 * the store cannot vouch for the numbers it gave before: at the first change, and when it may have lost some.
 */
export type Revision = { readonly epoch: string; readonly number: number };

/** Whether both are of one epoch and number, or neither is there. */
export const isSameRevision = (one: Revision | undefined, other: Revision | undefined): boolean =>
  one?.epoch === other?.epoch && one?.number === other?.number;

/** What every change carries beside what it changes. */
export type ChangeMeta = {
  /** Of its record: a UUIDv7 (RFC 9562). */
  readonly id: string;
  /** Who makes it: the name of a credential, or of somebody at the command line. Never what a request says of itself. */
  readonly by: string;
  /** Where they can be reached, as far as is known. */
  readonly email?: string;
  /** A name for doing it only once: a change of the same thing under a name that was used within a day is not made; it answers what that one did. */
  readonly idempotencyKey?: string;
  /** Made only while the thing is at this revision; else it rejects with `RevisionMismatch`. `null`: while it was never changed. */
  readonly ifRevision?: Revision | null;
  /** What somebody wants remembered of it, in their words. */
  readonly note?: string;
};

/** What is the same in every record. */
type RecordBase = {
  readonly id: string;
  readonly by: string;
  readonly email?: string;
  readonly note?: string;
  /** By the clock of the store; never before that of an earlier record of the same thing. */
  readonly at: Instant;
  readonly revision: Revision;
};

/** What became of a set. */
export type SetRecord = RecordBase & {
  readonly of: "set";
  readonly key: string;
  /** `change`: by us. `external`: behind our back. `baseline`: what it held when an epoch began. */
  readonly origin: "change" | "external" | "baseline";
  /** What was not there before, and what was; both empty where only the set after is known. */
  readonly added: readonly FeatureKey[];
  readonly removed: readonly FeatureKey[];
  /** The whole set after, where it is part of the record: then nothing before it is needed to know the set. */
  readonly members?: readonly FeatureKey[];
  /** How many members it had after; also such as can be no feature keys, which no record holds. */
  readonly size: number;
};

/** What became of a document. */
export type DocumentRecord = RecordBase & {
  readonly of: "document";
  readonly collection: string;
  readonly name: string;
  /** After; `null` where it was removed. */
  readonly value: Json;
};

/** What became of a token. It does not tell the token. */
export type TokenRecord = RecordBase & {
  readonly of: "token";
  readonly tokenId: string;
  readonly userId: string;
  readonly origin: "issued" | "revoked";
};

/** What the record of a change tells of how it came about. */
export const authorOfRecord = ({
  id,
  by,
  email,
  note,
}: ChangeMeta): Pick<RecordBase, "id" | "by" | "email" | "note"> => ({
  id,
  by,
  ...(email !== undefined && { email }),
  ...(note !== undefined && { note }),
});

/** The record of a change, as the store keeps it that the change was made in. */
export type ChangeRecord = SetRecord | DocumentRecord | TokenRecord;

/** By whom what happened behind our back is said to have been done, and what Tidegate records of its own accord. */
export const externalActor = "external";

/** The key of what a record changed: of a set its own, `collection/name` of a document, `tokens/id` of a token. */
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
