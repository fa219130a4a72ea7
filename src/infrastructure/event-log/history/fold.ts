import sql, { bulk, join } from "sql-template-tag";
import { featuresIn } from "../../../application/events/change-event.ts";
import type { SetRecord } from "../../../domain/admin/change.ts";
import type { FeatureKey } from "../../../domain/evaluation/feature.ts";
import type { Event } from "../../../domain/events/event.ts";
import { inChunks } from "../../in-chunks.ts";
import type { Transaction } from "../database/database.ts";
import { indexedFeature, indexedKey, writeLongTexts } from "../database/indexed-text.ts";
import { insertInto } from "../database/insert-into.ts";
import { listsMembers, next, type SetState } from "./set-state.ts";
import { foldSpans } from "./spans.ts";
import { claims } from "./store-names.ts";

/** Rows per statement. */
const rowsAtOnce = 1_000;

/** Maps the name of an event's store to the store. */
type StoreOf = (name: string) => string;

type Row = Readonly<Record<string, unknown>>;

/** Rows to be written. */
type Derived = {
  readonly sets: Map<number, Row>;
  readonly states: Row[];
  readonly turns: Row[];
  /** The whole texts of long column values. */
  readonly long: Map<string, string>;
  /** Membership after the events of the features that changed, by set. */
  readonly members: Map<number, Map<FeatureKey, boolean>>;
};

/** Derives the tables beside `events` from events, in order. Throws `StaleRevision` and writes nothing. */
export async function fold(transaction: Transaction, events: readonly Event[]): Promise<void> {
  const claimed = await claims(transaction);
  const storeOf = (name: string) => claimed.get(name) ?? name;
  const states = await statesBefore(transaction, events, storeOf);
  const derived: Derived = { sets: new Map(), states: [], turns: [], long: new Map(), members: new Map() };
  for (const event of events) {
    deriveDocument(derived, event);
    deriveSet(derived, event, states, storeOf);
  }
  await write(transaction, derived);
  await foldSpans(transaction, events);
}

function deriveDocument({ turns, long }: Derived, { position, at, change }: Event): void {
  const record = change?.record;
  if (record?.of !== "document") return;
  for (const named of featuresIn(record)) {
    const feature = noted(long, named, indexedFeature(named));
    turns.push({ position, feature, set_id: null, at: new Date(at), is_on: record.value !== null });
  }
}

function deriveSet(
  derived: Derived,
  { position, at, change }: Event,
  states: Map<string, SetState>,
  storeOf: StoreOf,
): void {
  if (change?.record.of !== "set") return;
  const record = withIndexed(derived.long, change.record);
  const store = storeOf(change.store);
  const name = nameOf(store, record.key);
  const { state, changed } = next(states.get(name), record, position, at);
  const { id, epoch, number } = state;
  states.set(name, state);
  derived.sets.set(id, { id, store, key: record.key, position });
  const since = new Date(state.at);
  derived.states.push({ position, set_id: id, at: since, is_known: state.isKnown, epoch, number });
  const members = derived.members.get(id) ?? new Map();
  derived.members.set(id, members);
  for (const [feature, isOn] of changed) {
    derived.turns.push({ position, feature, set_id: id, at: since, is_on: isOn });
    members.set(feature, isOn);
  }
}

/** The record with its key and features as column values. */
function withIndexed(long: Map<string, string>, record: SetRecord): SetRecord {
  const { added, removed, members } = record;
  const indexed = (features: readonly FeatureKey[]) =>
    features.map((feature) => noted(long, feature, indexedFeature(feature)));
  return {
    ...record,
    key: noted(long, record.key, indexedKey(record.key)),
    added: indexed(added),
    removed: indexed(removed),
    ...(members && { members: indexed(members) }),
  };
}

/** Returns the column value of a text, and notes the text if it is long. */
function noted(long: Map<string, string>, text: string, indexed: string): string {
  if (indexed !== text) long.set(indexed, text);
  return indexed;
}

async function write(transaction: Transaction, { sets, states, turns, long, members }: Derived): Promise<void> {
  await writeLongTexts(transaction, long);
  for (const rows of inChunks([...sets.values()], rowsAtOnce)) {
    await transaction.query(
      sql`${insertInto("sets", rows)} on conflict (id) do update set position = excluded.position`,
    );
  }
  for (const rows of inChunks(states, rowsAtOnce)) await transaction.query(insertInto("set_states", rows));
  for (const rows of inChunks(turns, rowsAtOnce)) await transaction.query(insertInto("turns", rows));
  const changed = [...members].flatMap(([set_id, features]) =>
    [...features].map(([feature, isOn]) => ({ set_id, feature, isOn })),
  );
  for (const some of inChunks(changed, rowsAtOnce)) {
    const present = some.filter(({ isOn }) => isOn).map(({ set_id, feature }) => ({ set_id, feature }));
    const removed = some.filter(({ isOn }) => !isOn).map(({ set_id, feature }) => [set_id, feature]);
    if (present.length > 0) {
      await transaction.query(sql`${insertInto("members", present)} on conflict do nothing`);
    }
    if (removed.length > 0) {
      await transaction.query(sql`delete from members where (set_id, feature) in (${bulk(removed)})`);
    }
  }
}

/** Unique, because connection names contain no line break. */
const nameOf = (store: string, key: string): string => `${store}\n${key}`;

/** Reads the current states of the sets of the events, with members if an event lists all members. */
async function statesBefore(
  transaction: Transaction,
  events: readonly Event[],
  storeOf: StoreOf,
): Promise<Map<string, SetState>> {
  const keysOf = new Map<string, Set<string>>();
  const compared = new Set<string>();
  for (const { change } of events) {
    if (change?.record.of !== "set") continue;
    const key = indexedKey(change.record.key);
    const store = storeOf(change.store);
    keysOf.set(store, (keysOf.get(store) ?? new Set()).add(key));
    if (listsMembers(change.record)) compared.add(nameOf(store, key));
  }
  const states = new Map<string, SetState>();
  const members = new Map<number, Set<FeatureKey>>();
  for (const [store, keys] of keysOf) {
    for (const some of inChunks([...keys], rowsAtOnce)) {
      const rows = await transaction.query<
        Omit<SetState, "isKnown" | "members"> & { key: string; is_known: boolean }
      >(sql`
        select id, key, at, is_known, epoch, number
        from sets join set_states on set_states.position = sets.position
        where store = ${store} and key in (${join(some)})`);
      for (const { key, is_known: isKnown, ...row } of rows) {
        const state = { ...row, isKnown: Boolean(isKnown), members: new Set<FeatureKey>() };
        states.set(nameOf(store, key), state);
        if (compared.has(nameOf(store, key))) members.set(state.id, state.members);
      }
    }
  }
  for (const some of inChunks([...members.keys()], rowsAtOnce)) {
    const rows = await transaction.query<{ set_id: number; feature: FeatureKey }>(
      sql`select set_id, feature from members where set_id in (${join(some)})`,
    );
    for (const { set_id, feature } of rows) members.get(set_id)?.add(feature);
  }
  return states;
}
