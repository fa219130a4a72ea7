import { type RawBuilder, sql } from "kysely";

/** The tables of the activity log, the same in both databases. Whole numbers are at most 2^53 - 1. */
export type Tables = {
  /** One row: where the log begins, and where it ends. */
  readonly chain: ChainTable;
  readonly events: EventTable;
  /** Of each thousand of positions, the earliest and latest event: where to look for a time. */
  readonly spans: SpanTable;
  /** What follows is told by the events, and kept so that a past moment is found fast; see {@link ../history/fold.ts}. */
  readonly sets: SetTable;
  readonly set_states: SetStateTable;
  readonly turns: TurnTable;
  readonly members: MemberTable;
  /** Which store made which history; see {@link ../../../domain/events/known-stores.ts}. */
  readonly stores: StoreTable;
  /** What documents were where the log begins, after retention. */
  readonly kept_documents: KeptDocumentTable;
};

type ChainTable = {
  readonly id: 1;
  readonly position: number;
  readonly hash: string;
  /** The last event that was removed, or position 0: the hash of the first event that is there goes on from it. */
  readonly start_position: number;
  readonly start_hash: string;
};

type EventTable = {
  readonly position: number;
  readonly id: string;
  readonly component: string;
  readonly environment: string;
  readonly email: string;
  readonly message: string;
  /** The message in lower case. */
  readonly folded: string;
  /** JSON. */
  readonly data: string;
  readonly created_at: number;
  readonly recorded_by: string;
  /** Of a change, else null: the store, what was changed of it, and the revision that it is at since. */
  readonly store: string | null;
  readonly kind: "set" | "document" | "token" | null;
  readonly key: string | null;
  readonly epoch: string | null;
  readonly number: number | null;
  /** JSON: the change record. */
  readonly record: string | null;
  readonly hash: string;
};

type SpanTable = {
  /** The positions are those after it, up to a thousand. */
  readonly start: number;
  readonly earliest: number;
  readonly latest: number;
};

type SetTable = {
  /** The position of the first event of the set. */
  readonly id: number;
  readonly store: string;
  readonly key: string;
  /** Of the set's last event. */
  readonly position: number;
};

/** What is told of a set by one event: all but its members. */
type SetStateTable = {
  readonly position: number;
  readonly set_id: number;
  /** Of the event; never before that of an earlier event of the set. */
  readonly at: number;
  /** Whether its members are known from then on. */
  readonly is_known: boolean;
  readonly epoch: string;
  readonly number: number;
};

/** An event put a feature into a set or took it out, or is of a document that describes it or is its setting: then there is no set. */
type TurnTable = {
  readonly position: number;
  readonly feature: string;
  readonly set_id: number | null;
  /** As in `set_states`. */
  readonly at: number;
  readonly is_on: boolean;
};

/** What sets hold after the last event, as far as it was told. */
type MemberTable = { readonly set_id: number; readonly feature: string };

type StoreTable = {
  readonly identity: string;
  /** The name of the connection that led to it last. */
  readonly connection: string;
  /** The connection whose events, recorded under its name, the store has claimed. */
  readonly claimed: string | null;
};

type KeptDocumentTable = {
  readonly store: string;
  readonly key: string;
  readonly created_at: number;
  /** JSON: the change record. */
  readonly record: string;
};

/** An instant as a value of a column: PostgreSQL keeps it as a timestamp, SQLite as milliseconds. It is read as milliseconds of both. */
export const instant = (at: number): RawBuilder<number> => sql<number>`${new Date(at)}`;
