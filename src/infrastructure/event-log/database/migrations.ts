import sql, { raw } from "sql-template-tag";
import { emptyHash } from "../log/event-hash.ts";
import type { Database, EventLogLocation } from "./database.ts";
import { insertInto } from "./insert-into.ts";
import { eventLogSchemaVersion, type migrationNames } from "./schema-version.ts";

type Kind = EventLogLocation["kind"];

/** Column types. Texts are compared byte by byte in both databases. Integers are at most 2^53 - 1. */
const types = {
  postgres: {
    text: 'text collate "C"',
    integer: "bigint",
    json: "jsonb",
    instant: "timestamptz(3)",
    flag: "boolean",
    id: "bigint generated always as identity primary key",
    withoutRowId: "",
  },
  sqlite: {
    text: "text",
    integer: "integer",
    json: "text",
    instant: "integer",
    flag: "integer",
    id: "integer primary key",
    withoutRowId: "without rowid",
  },
} as const;

/** The PostgreSQL advisory lock of migrations. Earlier versions take the same one. */
const lock = 3_853_314_791_062_309_107n;

/** Creates or migrates the tables. Safe for concurrent processes. */
export async function migrate(database: Database, kind: Kind): Promise<void> {
  const migrations = Object.entries(migrationsOf(kind));
  await database.transaction(async (transaction) => {
    if (kind === "postgres") await transaction.query(sql`select pg_advisory_xact_lock(${lock})`);
    await transaction.query(sql`
      create table if not exists activity_migrations (
        name varchar(255) not null primary key,
        timestamp varchar(255) not null
      )`);
    const rows = await transaction.query<{ name: string }>(sql`select name from activity_migrations`);
    const applied = new Set(rows.map(({ name }) => name));
    const unknown = [...applied].find((name) => !migrations.some(([known]) => known === name));
    if (unknown) throw new Error(`the event log belongs to a newer version of Tidegate (it has migration ${unknown})`);
    for (const [name, script] of migrations) {
      if (applied.has(name)) continue;
      for (const statement of script.split(";")) await transaction.query(raw(statement));
      const timestamp = new Date().toISOString();
      await transaction.query(insertInto("activity_migrations", [{ name, timestamp }]));
    }
  });
  if (kind === "sqlite") await writeSchemaVersion(database);
}

/** Lets an earlier version detect a file of a newer one by its header. */
async function writeSchemaVersion(database: Database): Promise<void> {
  const [row] = await database.query<{ user_version: number }>(sql`PRAGMA user_version`);
  if (row?.user_version === eventLogSchemaVersion) return;
  await database.query(raw(`PRAGMA user_version = ${eventLogSchemaVersion}`));
  await database.query(sql`PRAGMA wal_checkpoint`);
}

/** The migrations, in the order of their names. Never change a released one: add another. */
const migrationsOf = (kind: Kind): Record<(typeof migrationNames)[number], string> => ({
  "0001_log": log(kind),
  "0002_stores": stores(kind),
  "0003_long_texts": longTexts(kind),
  "0004_usage": usage(kind),
});

function log(kind: Kind): string {
  const { text, integer, json, instant, flag } = types[kind];
  return `
    -- One row: the end of the log, and the last removed event (at first, position 0).
    create table chain (
      id ${integer} primary key,
      position ${integer} not null,
      hash ${text} not null,
      start_position ${integer} not null,
      start_hash ${text} not null
    );
    insert into chain values (1, 0, '${emptyHash}', 0, '${emptyHash}');

    -- store to number, of a change: the changed item, and its revision after the change. record: the change record.
    create table events (
      position ${integer} primary key,
      id ${text} not null unique,
      component ${text} not null,
      environment ${text} not null,
      email ${text} not null,
      message ${text} not null,
      folded ${text} not null, -- The message in lower case.
      data ${json} not null,
      created_at ${instant} not null,
      recorded_by ${text} not null,
      store ${text},
      kind ${text},
      key ${text},
      epoch ${text},
      number ${integer},
      record ${json},
      hash ${text} not null
    );
    create unique index events_revision on events (store, kind, key, epoch, number) where store is not null;
    create index events_component on events (component, position);
    create index events_environment on events (environment, position);
    create index events_email on events (email, position);
    create index events_recorded_by on events (recorded_by, position);
    create index events_key on events (key, position) where key is not null;

    -- The earliest and the latest time of the up to 1,000 events after a position. An index for searches by time.
    create table spans (
      start ${integer} primary key,
      earliest ${instant} not null,
      latest ${instant} not null
    );

    -- The tables below are derived from the events, for fast access to past states (history/fold.ts).
    -- id: the position of the first event of the set. position: of its last.
    create table sets (
      id ${integer} primary key,
      store ${text} not null,
      key ${text} not null,
      position ${integer} not null,
      constraint sets_key unique (store, key)
    );

    -- The state of a set after an event, without its members.
    create table set_states (
      position ${integer} primary key,
      set_id ${integer} not null,
      at ${instant} not null, -- Time of the event, but never before that of an earlier event of the set.
      is_known ${flag} not null, -- Whether its members are known from this event on.
      epoch ${text} not null,
      number ${integer} not null
    );
    create index set_states_at on set_states (set_id, at, position);

    -- An event that added a feature to a set or removed it, or concerns a document that describes the feature or is
    -- its rule. A document has no set.
    create table turns (
      position ${integer} not null,
      feature ${text} not null,
      set_id ${integer},
      at ${instant} not null, -- As in set_states.
      is_on ${flag} not null,
      constraint turns_pkey primary key (position, feature)
    );
    create index turns_of_set on turns (set_id, feature, position);
    create index turns_of_feature on turns (feature, position);

    -- Members of the sets after the last event, as far as they are recorded.
    create table members (
      set_id ${integer} not null,
      feature ${text} not null,
      constraint members_pkey primary key (set_id, feature)
    );

    -- The documents at the beginning of the log, after retention.
    create table kept_documents (
      store ${text} not null,
      key ${text} not null,
      created_at ${instant} not null,
      record ${json} not null,
      constraint kept_documents_pkey primary key (store, key)
    )`;
}

/** Maps stores to their histories. See {@link ../../../domain/events/known-stores.ts}. */
function stores(kind: Kind): string {
  const { text } = types[kind];
  return `
    create table stores (
      identity ${text} primary key,
      connection ${text} not null, -- The last connection name of the store.
      claimed ${text} unique -- The connection whose events, recorded under its name, belong to the store.
    )`;
}

/** The whole texts of long keys and features. See {@link ./indexed-text.ts}. */
function longTexts(kind: Kind): string {
  const { text } = types[kind];
  return `
    create table long_texts (
      indexed ${text} primary key,
      text ${text} not null
    )`;
}

/** Evaluations of features. Times are minutes since 1970. See {@link ../usage/sql-usage.ts}. */
function usage(kind: Kind): string {
  const { text, integer, flag, id, withoutRowId } = types[kind];
  return `
    -- Evaluations of one feature with one result. variant: empty without one. used_at: the last use.
    create table usage_series (
      id ${id},
      feature ${text} not null,
      variant ${text} not null,
      is_on ${flag} not null,
      via ${text} not null,
      used_at ${integer},
      constraint usage_series_key unique (feature, variant, is_on, via)
    );
    -- The evaluations of a series in one minute, hour or day. step: its length in minutes.
    create table usage_counts (
      step ${integer} not null,
      start ${integer} not null,
      series ${integer} not null,
      evaluations ${integer} not null,
      constraint usage_counts_pkey primary key (step, start, series)
    ) ${withoutRowId}`;
}
