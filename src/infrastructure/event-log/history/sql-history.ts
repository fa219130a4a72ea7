import sql, { empty, join, raw, type Sql } from "sql-template-tag";
import { type DocumentRecord, documentKey, type Revision } from "../../../domain/admin/change.ts";
import type { Instant } from "../../../domain/evaluation/evaluation-context.ts";
import { type FeatureKey, isServedKey } from "../../../domain/evaluation/feature.ts";
import type { Event } from "../../../domain/events/event.ts";
import { featuresComponent } from "../../../domain/events/event.ts";
import type { History } from "../../../domain/events/history.ts";
import { inChunks } from "../../in-chunks.ts";
import type { Database } from "../database/database.ts";
import { indexedFeature, indexedKey, wholeTexts } from "../database/indexed-text.ts";
import { conditions } from "../log/conditions.ts";
import { type EventRow, eventIn } from "../log/event-row.ts";
import { rebuild } from "./rebuild.ts";
import { positionsWithin } from "./spans.ts";
import { namesOf } from "./store-names.ts";

const rowsAtOnce = 1_000;

/** History of stores, read from the tables derived from events. See {@link ./fold.ts}. */
export function sqlHistory(database: Database): History & { rebuild(): Promise<void> } {
  async function eventsAt(positions: ReadonlySet<number>): Promise<ReadonlyMap<number, Event>> {
    const events = new Map<number, Event>();
    for (const some of inChunks([...positions], rowsAtOnce)) {
      const rows = await database.query<EventRow>(sql`select * from events where position in (${join(some)})`);
      for (const row of rows) events.set(row.position, eventIn(row));
    }
    return events;
  }

  async function changesOfKind(
    kind: "set" | "document",
    store: string,
    keys: readonly string[],
    from: Instant,
    to: Instant,
  ): Promise<readonly Event[]> {
    const events: Event[] = [];
    // Times are whole milliseconds.
    const range = { from: Math.floor(from) + 1, to: Math.floor(to) + 1 };
    const { after, before } = await positionsWithin(database, range);
    const names = await namesOf(database, store);
    for (const some of inChunks(keys.map(indexedKey), rowsAtOnce)) {
      const rows = await database.query<EventRow>(sql`
        select * from events
        where store in (${join(names)}) and kind = ${kind} and key in (${join(some)})
          and position > ${after} and position < ${before} ${conditions(range)}`);
      events.push(...rows.map(eventIn));
    }
    return events.sort((a, b) => a.position - b.position);
  }

  function featuresOf(rows: readonly { readonly feature: string }[]): Promise<readonly FeatureKey[]> {
    return wholeTexts(
      database,
      rows.map(({ feature }) => feature),
    );
  }

  function keysOf(rows: readonly { readonly key: string }[]): Promise<readonly string[]> {
    return wholeTexts(
      database,
      rows.map(({ key }) => key),
    );
  }

  return {
    async setAt(store, key, at) {
      const rows = await database.query<{ at: Instant; feature: string | null }>(sql`
        select state.at, turn.feature
        from (${lastState(store, key, at)}) as state
        left join (${lastTurns(store, key, at)}) as turn on turn.is_on = ${true}
        where state.is_known = ${true}
        order by turn.feature`);
      const [state] = rows;
      if (!state) return undefined;
      const features = await wholeTexts(
        database,
        rows.flatMap(({ feature }) => feature ?? []),
      );
      return { features: features.filter(isServedKey), recordedAt: state.at };
    },
    async firstRecord(store, key) {
      const [row] = await database.query<{ at: Instant | null }>(sql`
        select min(at) as at from sets join set_states on set_states.set_id = sets.id
        where store = ${store} and key = ${indexedKey(key)}`);
      return row?.at ?? undefined;
    },
    async lastChanges(store, key, at, only) {
      if (only?.length === 0) return [];
      const turns = await database.query<{ feature: string; is_on: boolean; position: number }>(
        sql`${lastTurns(store, key, at, only)} order by turns.feature`,
      );
      const features = await featuresOf(turns);
      // One event may have changed all features, so each is read once.
      const events = await eventsAt(new Set(turns.map(({ position }) => position)));
      return turns.flatMap(({ position, is_on }, index) => {
        const event = events.get(position);
        return event ? { feature: features[index] ?? "", on: Boolean(is_on), event } : [];
      });
    },
    async lastChangeOf(store, prefix, feature) {
      const [row] = await database.query<EventRow>(sql`
        select events.*
        from turns join sets on sets.id = turns.set_id join events on events.position = turns.position
        where turns.feature = ${indexedFeature(feature)} and sets.store = ${store} and ${begins("sets.key", prefix)}
        order by turns.position desc limit 1`);
      return row && eventIn(row);
    },
    async changedFeatures(store, after) {
      const names = await namesOf(database, store);
      const [head] = await database.query<{ position: number }>(sql`select position from chain`);
      const upTo = head?.position ?? 0;
      const rows = await database.query<{ feature: string; position: number }>(sql`
        select turns.feature, max(turns.position) as position
        from turns join events on events.position = turns.position
        where turns.position > ${after} and turns.position <= ${upTo} and events.store in (${join(names)})
          and events.component = ${featuresComponent}
        group by turns.feature`);
      const features = await featuresOf(rows);
      return { positions: new Map(rows.map(({ position }, index) => [features[index] ?? "", position])), upTo };
    },
    async documentAt(store, collection, name, at) {
      const names = await namesOf(database, store);
      const key = indexedKey(documentKey(collection, name));
      const ofDocument = sql`store in (${join(names)}) and key = ${key} and created_at <= ${new Date(at)}`;
      const [event] = await database.query<DocumentRow>(sql`
        select record from events where kind = 'document' and ${ofDocument} order by position desc limit 1`);
      if (event) return JSON.parse(event.record);
      const [kept] = await database.query<DocumentRow>(sql`
        select record from kept_documents where ${ofDocument} order by created_at desc limit 1`);
      return kept && JSON.parse(kept.record);
    },
    async documentsAt(store, collection, at) {
      const names = await namesOf(database, store);
      const ofCollection = sql`store in (${join(names)}) and ${begins("key", documentKey(collection, ""))}`;
      const kept = await database.query<DocumentRow & { created_at: Instant }>(sql`
        select record, created_at from kept_documents where ${ofCollection} order by key, created_at`);
      if (kept.some(({ created_at }) => created_at > at)) return undefined;
      const events = await database.query<DocumentRow>(sql`
        select record from events
        where position in (
          select max(position) from events
          where kind = 'document' and ${ofCollection} and created_at <= ${new Date(at)}
          group by key
        )
        order by key`);
      // An event is later than the document kept when events were removed.
      const records = [...kept, ...events].map(({ record }): DocumentRecord => JSON.parse(record));
      return new Map(records.map((record) => [record.name, record]));
    },
    async keys(store, prefix) {
      const rows = await database.query<{ key: string }>(sql`
        select key from sets where store = ${store} and ${begins("key", prefix)} order by key`);
      return keysOf(rows);
    },
    async revisions(store, prefix, limit, after) {
      const rows = await database.query<Revision & { key: string }>(sql`
        select key, epoch, number from sets join set_states on set_states.position = sets.position
        where store = ${store} and ${begins("key", prefix)} and key > ${indexedKey(after ?? "")}
        order by key limit ${limit}`);
      const keys = await keysOf(rows);
      return rows.map(({ key, epoch, number }, index) => ({ key: keys[index] ?? key, revision: { epoch, number } }));
    },
    changesOf: (store, keys, from, to) => changesOfKind("set", store, keys, from, to),
    documentChangesOf(store, collection, names, from, to) {
      const keys = names.map((name) => documentKey(collection, name));
      return changesOfKind("document", store, keys, from, to);
    },
    /** Rebuilds the derived tables from the log. */
    rebuild: () => rebuild(database),
  };
}

type DocumentRow = { readonly record: string };

/** Whether a column begins with a prefix. No key continues with the last code point; document names may have any. */
const begins = (column: string, prefix: string): Sql =>
  sql`${raw(column)} >= ${prefix} and ${raw(column)} < ${`${prefix}\u{10ffff}`}`;

/** The state of a set at a time. */
const lastState = (store: string, key: string, at: Instant): Sql => sql`
  select at, is_known, set_id, set_states.position
  from sets join set_states on set_states.set_id = sets.id
  where store = ${store} and key = ${indexedKey(key)} and at <= ${new Date(at)}
  order by at desc, set_states.position desc limit 1`;

/**
 * The last change of each feature of a set. Positions of one set are ordered by time, so an index covers all rows read.
 */
const lastTurns = (store: string, key: string, at: Instant, only?: readonly FeatureKey[]): Sql => sql`
  select turns.feature, turns.is_on, turns.position
  from (
    select feature, max(turns.position) as position
    from (${lastState(store, key, at)}) as until
    join turns on turns.set_id = until.set_id and turns.position <= until.position
    ${only ? sql`where turns.feature in (${join(only.map(indexedFeature))})` : empty}
    group by feature
  ) as last
  join turns on turns.position = last.position and turns.feature = last.feature`;
