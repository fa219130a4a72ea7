import { type Generated, type RawBuilder, sql } from "kysely";
import type { UsageVia } from "../../../domain/usage/usage-store.ts";

/** The tables of the event log, equal in both databases. Integers are at most 2^53 - 1. */
export type Tables = {
  /** One row: the beginning and the end of the log. */
  readonly chain: ChainTable;
  readonly events: EventTable;
  /** The earliest and latest event time of each thousand positions. An index for searches by time. */
  readonly spans: SpanTable;
  /** The tables below are derived from the events, for fast access to past states. See {@link ../history/fold.ts}. */
  readonly sets: SetTable;
  readonly set_states: SetStateTable;
  readonly turns: TurnTable;
  readonly members: MemberTable;
  /** The whole texts of long keys and features. See {@link ./indexed-text.ts}. */
  readonly long_texts: LongTextTable;
  /** Maps stores to their histories. See {@link ../../../domain/events/known-stores.ts}. */
  readonly stores: StoreTable;
  /** The documents at the beginning of the log, after retention. */
  readonly kept_documents: KeptDocumentTable;
  /** Evaluations of features. See {@link ../usage/sql-usage.ts}. */
  readonly usage_series: UsageSeriesTable;
  readonly usage_counts: UsageCountTable;
};

type ChainTable = {
  readonly id: 1;
  readonly position: number;
  readonly hash: string;
  /** The last removed event, or position 0. Its hash precedes that of the first stored event. */
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
  /** Of a change, otherwise null: the store, the changed item and its revision after the change. */
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
  /** The span has up to 1,000 positions after this one. */
  readonly start: number;
  readonly earliest: number;
  readonly latest: number;
};

type SetTable = {
  /** The position of the first event of the set. */
  readonly id: number;
  readonly store: string;
  readonly key: string;
  /** The position of the last event of the set. */
  readonly position: number;
};

/** The state of a set after one event, without its members. */
type SetStateTable = {
  readonly position: number;
  readonly set_id: number;
  /** Time of the event, but never before that of an earlier event of the set. */
  readonly at: number;
  /** Whether its members are known from this event on. */
  readonly is_known: boolean;
  readonly epoch: string;
  readonly number: number;
};

/**
 * An event that added a feature to a set or removed it, or concerns a document that describes the feature or is its
 * rule. A document has no set.
 */
type TurnTable = {
  readonly position: number;
  readonly feature: string;
  readonly set_id: number | null;
  /** As in `set_states`. */
  readonly at: number;
  readonly is_on: boolean;
};

/** Members of the sets after the last event, as far as they are recorded. */
type MemberTable = { readonly set_id: number; readonly feature: string };

type LongTextTable = { readonly indexed: string; readonly text: string };

type StoreTable = {
  readonly identity: string;
  /** The last connection name of the store. */
  readonly connection: string;
  /** The connection whose events, recorded under its name, belong to the store. */
  readonly claimed: string | null;
};

type KeptDocumentTable = {
  readonly store: string;
  readonly key: string;
  readonly created_at: number;
  /** JSON: the change record. */
  readonly record: string;
};

/** Evaluations of one feature with one result. */
type UsageSeriesTable = {
  readonly id: Generated<number>;
  readonly feature: string;
  /** Empty without a variant. */
  readonly variant: string;
  readonly is_on: boolean;
  readonly via: UsageVia;
  /** The minute of the last use, counted from 1970. */
  readonly used_at: number | null;
};

/** The evaluations of a series in one minute, hour or day. */
type UsageCountTable = {
  /** The length of the step, in minutes. */
  readonly step: number;
  /** The minute in which the step begins, counted from 1970. */
  readonly start: number;
  readonly series: number;
  readonly evaluations: number;
};

/** An instant as a column value: a timestamp in PostgreSQL, milliseconds in SQLite. Both are read as milliseconds. */
export const instant = (at: number): RawBuilder<number> => sql<number>`${new Date(at)}`;
