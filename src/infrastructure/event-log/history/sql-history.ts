import { type DocumentRecord, documentKey, type Revision } from "../../../domain/admin/change.ts";
import type { Instant } from "../../../domain/evaluation/evaluation-context.ts";
import { type FeatureKey, isServedKey } from "../../../domain/evaluation/feature.ts";
import type { Event } from "../../../domain/events/event.ts";
import type { History, LastChange, PastSet } from "../../../domain/events/history.ts";
import { inChunks } from "../../in-chunks.ts";
import type { Database } from "../database/database.ts";
import { indexedFeature, indexedKey, wholeTexts } from "../database/indexed-text.ts";
import { instant } from "../database/tables.ts";
import { conditions } from "../log/conditions.ts";
import { eventIn } from "../log/event-row.ts";
import { rebuild } from "./rebuild.ts";
import { positionsWithin } from "./spans.ts";
import { namesOf } from "./store-names.ts";

const rowsAtOnce = 1_000;

/** History of stores, read from the tables derived from events. See {@link ./fold.ts}. */
export class SqlHistory implements History {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async setAt(store: string, key: string, at: Instant): Promise<PastSet | undefined> {
    const rows = await this.#database
      .selectFrom(lastState(this.#database, store, key, at).as("state"))
      .leftJoin(lastTurns(this.#database, store, key, at).as("turn"), (join) => join.on("turn.is_on", "=", true))
      .where("state.is_known", "=", true)
      .select(["state.at", "turn.feature"])
      .orderBy("turn.feature")
      .execute();
    const [state] = rows;
    if (!state) return undefined;
    const features = await wholeTexts(
      this.#database,
      rows.flatMap(({ feature }) => feature ?? []),
    );
    return { features: features.filter(isServedKey), recordedAt: state.at };
  }

  async firstRecord(store: string, key: string): Promise<Instant | undefined> {
    const row = await this.#database
      .selectFrom("sets")
      .innerJoin("set_states", "set_states.set_id", "sets.id")
      .where("store", "=", store)
      .where("key", "=", indexedKey(key))
      .select(({ fn }) => fn.min("at").as("at"))
      .executeTakeFirst();
    return row?.at ?? undefined;
  }

  async lastChanges(store: string, key: string, at: Instant): Promise<readonly LastChange[]> {
    const rows = await this.#database
      .selectFrom(lastTurns(this.#database, store, key, at).as("turn"))
      .select(["feature", "is_on", "position"])
      .orderBy("feature")
      .execute();
    const events = await this.#eventsAt(rows.map((row) => row.position));
    const features = await wholeTexts(
      this.#database,
      rows.map(({ feature }) => feature),
    );
    return rows.flatMap(({ is_on: isOn, position }, index) => {
      const [event, feature] = [events.get(position), features[index]];
      return event && feature !== undefined ? [{ feature, on: Boolean(isOn), event }] : [];
    });
  }

  async lastChangeOf(store: string, prefix: string, feature: FeatureKey): Promise<Event | undefined> {
    const row = await this.#database
      .selectFrom("turns")
      .innerJoin("sets", "sets.id", "turns.set_id")
      .innerJoin("events", "events.position", "turns.position")
      .where("turns.feature", "=", indexedFeature(feature))
      .where("sets.store", "=", store)
      .where("sets.key", ">=", prefix)
      .where("sets.key", "<", `${prefix}\u{10ffff}`)
      .orderBy("turns.position", "desc")
      .limit(1)
      .selectAll("events")
      .executeTakeFirst();
    return row && eventIn(row);
  }

  async changedFeatures(
    store: string,
    after: number,
  ): Promise<{ readonly positions: ReadonlyMap<FeatureKey, number>; readonly upTo: number }> {
    const names = await namesOf(this.#database, store);
    const head = await this.#database.selectFrom("chain").select("position").executeTakeFirst();
    const upTo = head?.position ?? 0;
    const rows = await this.#database
      .selectFrom("turns")
      .innerJoin("events", "events.position", "turns.position")
      .where("turns.position", ">", after)
      .where("turns.position", "<=", upTo)
      .where("events.store", "in", names)
      .groupBy("turns.feature")
      .select(({ fn }) => ["turns.feature", fn.max("turns.position").as("position")])
      .execute();
    const features = await wholeTexts(
      this.#database,
      rows.map(({ feature }) => feature),
    );
    return { positions: new Map(rows.map(({ position }, index) => [features[index] ?? "", position])), upTo };
  }

  async documentAt(store: string, collection: string, name: string, at: Instant): Promise<DocumentRecord | undefined> {
    const key = indexedKey(documentKey(collection, name));
    const names = await namesOf(this.#database, store);
    const event = await this.#database
      .selectFrom("events")
      .where("store", "in", names)
      .where("kind", "=", "document")
      .where("key", "=", key)
      .where("created_at", "<=", instant(at))
      .orderBy("position", "desc")
      .limit(1)
      .select("record")
      .executeTakeFirst();
    const kept =
      event ??
      (await this.#database
        .selectFrom("kept_documents")
        .where("store", "in", names)
        .where("key", "=", key)
        .where("created_at", "<=", instant(at))
        .orderBy("created_at", "desc")
        .select("record")
        .executeTakeFirst());
    return kept?.record ? JSON.parse(kept.record) : undefined;
  }

  async documentsAt(
    store: string,
    collection: string,
    at: Instant,
  ): Promise<ReadonlyMap<string, DocumentRecord> | undefined> {
    const names = await namesOf(this.#database, store);
    const kept = await this.#documents("kept_documents", names, collection)
      .select(["record", "created_at"])
      .orderBy("key")
      .orderBy("created_at")
      .execute();
    if (kept.some(({ created_at }) => created_at > at)) return undefined;
    const last = this.#documents("events", names, collection)
      .where("kind", "=", "document")
      .where("created_at", "<=", instant(at))
      .groupBy("key")
      .select(({ fn }) => fn.max("position").as("position"));
    const events = await this.#database
      .selectFrom("events")
      .where("position", "in", last)
      .select("record")
      .orderBy("key")
      .execute();
    // An event is later than the document kept when events were removed.
    const records = [...kept, ...events].map(({ record }): DocumentRecord => JSON.parse(record ?? ""));
    return new Map(records.map((record) => [record.name, record]));
  }

  async keys(store: string, prefix: string): Promise<readonly string[]> {
    const rows = await this.#sets(store, prefix).select("key").execute();
    return wholeTexts(
      this.#database,
      rows.map(({ key }) => key),
    );
  }

  async revisions(
    store: string,
    prefix: string,
    limit: number,
    after?: string,
  ): Promise<readonly { readonly key: string; readonly revision: Revision }[]> {
    const rows = await this.#sets(store, prefix)
      .innerJoin("set_states", "set_states.position", "sets.position")
      .$if(after !== undefined, (query) => query.where("key", ">", indexedKey(after ?? "")))
      .select(["key", "epoch", "number"])
      .limit(limit)
      .execute();
    const keys = await wholeTexts(
      this.#database,
      rows.map(({ key }) => key),
    );
    return rows.map(({ key, epoch, number }, index) => ({ key: keys[index] ?? key, revision: { epoch, number } }));
  }

  changesOf(store: string, keys: readonly string[], from: Instant, to: Instant): Promise<readonly Event[]> {
    return this.#changesOf("set", store, keys, from, to);
  }

  documentChangesOf(
    store: string,
    collection: string,
    names: readonly string[],
    from: Instant,
    to: Instant,
  ): Promise<readonly Event[]> {
    const keys = names.map((name) => documentKey(collection, name));
    return this.#changesOf("document", store, keys, from, to);
  }

  async #changesOf(
    kind: "set" | "document",
    store: string,
    keys: readonly string[],
    from: Instant,
    to: Instant,
  ): Promise<readonly Event[]> {
    const events: Event[] = [];
    // Times are whole milliseconds.
    const range = { from: Math.floor(from) + 1, to: Math.floor(to) + 1 };
    const { after, before } = await positionsWithin(this.#database, range);
    const names = await namesOf(this.#database, store);
    for (const some of inChunks(keys.map(indexedKey), rowsAtOnce)) {
      const rows = await this.#database
        .selectFrom("events")
        .where("store", "in", names)
        .where("kind", "=", kind)
        .where("key", "in", some)
        .where("position", ">", after)
        .where("position", "<", before)
        .where(({ and }) => and(conditions(range)))
        .selectAll()
        .execute();
      events.push(...rows.map(eventIn));
    }
    return events.sort((a, b) => a.position - b.position);
  }

  /** Rebuilds the derived tables from the log. */
  rebuild(): Promise<void> {
    return rebuild(this.#database);
  }

  /** The sets whose keys begin with a prefix, ordered by key. No key continues with the last code point. */
  #sets(store: string, prefix: string) {
    return this.#database
      .selectFrom("sets")
      .where("store", "=", store)
      .where("key", ">=", prefix)
      .where("key", "<", `${prefix}\u{10ffff}`)
      .orderBy("key");
  }

  /** Selects the rows of a collection's documents. Document names may contain any characters. */
  #documents<Table extends "events" | "kept_documents">(table: Table, names: readonly string[], collection: string) {
    const prefix = documentKey(collection, "");
    return this.#database
      .selectFrom<"events" | "kept_documents">(table)
      .where("store", "in", names)
      .where("key", ">=", prefix)
      .where("key", "<", `${prefix}\u{10ffff}`);
  }

  async #eventsAt(positions: readonly number[]): Promise<ReadonlyMap<number, Event>> {
    const events = new Map<number, Event>();
    for (const some of inChunks([...new Set(positions)], rowsAtOnce)) {
      const rows = await this.#database.selectFrom("events").where("position", "in", some).selectAll().execute();
      for (const row of rows) events.set(row.position, eventIn(row));
    }
    return events;
  }
}

const lastState = (database: Database, store: string, key: string, at: Instant) =>
  database
    .selectFrom("sets")
    .innerJoin("set_states", "set_states.set_id", "sets.id")
    .where("store", "=", store)
    .where("key", "=", indexedKey(key))
    .where("at", "<=", instant(at))
    .orderBy("at", "desc")
    .orderBy("set_states.position", "desc")
    .limit(1)
    .select(["at", "is_known", "set_id", "set_states.position"]);

/**
 * The last change of each feature of a set. Positions of one set are ordered by time, so an index covers all rows read.
 */
const lastTurns = (database: Database, store: string, key: string, at: Instant) =>
  database
    .selectFrom(
      database
        .selectFrom(lastState(database, store, key, at).as("until"))
        .innerJoin("turns", (join) =>
          join.onRef("turns.set_id", "=", "until.set_id").onRef("turns.position", "<=", "until.position"),
        )
        .groupBy("feature")
        .select(({ fn }) => ["feature", fn.max("turns.position").as("position")])
        .as("last"),
    )
    .innerJoin("turns", (join) =>
      join.onRef("turns.position", "=", "last.position").onRef("turns.feature", "=", "last.feature"),
    )
    .select(["turns.feature", "turns.is_on", "turns.position"]);
