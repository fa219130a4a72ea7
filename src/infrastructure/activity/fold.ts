import type { InsertObject, Transaction } from "kysely";
import { catalogueCollection } from "../../application/event-of.ts";
import type { Event } from "../../domain/activity.ts";
import type { SetRecord } from "../../domain/change.ts";
import type { FeatureKey } from "../../domain/feature.ts";
import { inChunks } from "./in-chunks.ts";
import { instant, type Tables } from "./tables.ts";

/** A revision that is not after the last one recorded of the same set and epoch, so that it cannot be folded. */
export class StaleRevision extends Error {
  override readonly name = "StaleRevision";
}

/** What is known of a set after its last event; `on` only where it is needed. */
type State = {
  readonly id: number;
  readonly at: number;
  readonly isKnown: boolean;
  readonly epoch: string;
  readonly number: number;
  readonly on: Set<FeatureKey>;
};

/** How many positions share a row of `spans`. */
export const spanLength = 1_000;
/** Rows of these tables that are written in one statement. */
const rowsAtOnce = 1_000;
/** An index of PostgreSQL takes no longer values. A set with such a member counts as one whose members are not known. */
const longestFeature = 2_000;

/** Derives from events, in their order, what the tables beside `events` tell. Throws `StaleRevision`. */
export async function fold(transaction: Transaction<Tables>, events: readonly Event[]): Promise<void> {
  const states = await statesBefore(transaction, events);
  const setStates: InsertObject<Tables, "set_states">[] = [];
  const turns: InsertObject<Tables, "turns">[] = [];
  const sets = new Map<string, InsertObject<Tables, "sets">>();
  for (const { position, at, change } of events) {
    const record = change?.record;
    if (record?.of === "document" && record.collection === catalogueCollection && isIndexable(record.name)) {
      const isOn = record.value !== null;
      turns.push({ position, feature: record.name, set_id: null, at: instant(at), is_on: isOn });
    }
    if (!change || record?.of !== "set") continue;
    const name = nameOf(change.store, record.key);
    const { state, turned } = next(states.get(name), record, position, at);
    states.set(name, state);
    sets.set(name, { id: state.id, store: change.store, key: record.key, position });
    setStates.push({
      position,
      set_id: state.id,
      at: instant(state.at),
      is_known: state.isKnown,
      epoch: state.epoch,
      number: state.number,
    });
    for (const [feature, isOn] of turned) {
      turns.push({ position, feature, set_id: state.id, at: instant(state.at), is_on: isOn });
    }
  }
  for (const rows of inChunks(setStates, rowsAtOnce)) {
    await transaction.insertInto("set_states").values(rows).execute();
  }
  for (const rows of inChunks(turns, rowsAtOnce)) await transaction.insertInto("turns").values(rows).execute();
  for (const rows of inChunks([...sets.values()], rowsAtOnce)) {
    await transaction
      .insertInto("sets")
      .values(rows)
      .onConflict((conflict) => conflict.column("id").doUpdateSet((eb) => ({ position: eb.ref("excluded.position") })))
      .execute();
  }
  await foldSpans(transaction, events);
}

/** What follows from a record of a set: its state after, and which features it turned on or off. */
function next(before: State | undefined, record: SetRecord, position: number, at: number) {
  const { added, removed, origin, size } = record;
  const { epoch, number } = record.revision;
  const isSameEpoch = before?.epoch === epoch;
  if (isSameEpoch && number <= before.number) throw new StaleRevision();
  const on = before?.on ?? new Set<FeatureKey>();
  const members = record.members ?? (size === 0 ? [] : undefined);
  const present = members && new Set(members);
  const turned = new Map<FeatureKey, boolean>();
  for (const feature of added) turned.set(feature, present?.has(feature) ?? true);
  for (const feature of removed) turned.set(feature, present?.has(feature) ?? false);
  for (const feature of present ?? []) if (!on.has(feature)) turned.set(feature, true);
  for (const feature of present ? on : []) if (!present?.has(feature)) turned.set(feature, false);
  // What was found to have changed, and neither how nor to what, leaves nothing known.
  const tellsChange = origin === "change" || added.length + removed.length > 0;
  const followsOn = isSameEpoch && before.isKnown && number === before.number + 1;
  const long = [...turned.keys()].filter((feature) => !isIndexable(feature));
  for (const feature of long) turned.delete(feature);
  for (const [feature, isOn] of turned) {
    if (isOn) on.add(feature);
    else on.delete(feature);
  }
  const state: State = {
    id: before?.id ?? position,
    at: Math.max(at, before?.at ?? at),
    isKnown: long.length === 0 && (members !== undefined || (tellsChange && followsOn)),
    epoch,
    number,
    on,
  };
  return { state, turned };
}

const isIndexable = (feature: FeatureKey): boolean => Buffer.byteLength(feature) <= longestFeature;

/** No name of a connection has a line break. */
const nameOf = (store: string, key: string): string => `${store}\n${key}`;

/** The states of the sets that the events are of, as the tables have them; with their members where a record has members to compare. */
async function statesBefore(transaction: Transaction<Tables>, events: readonly Event[]): Promise<Map<string, State>> {
  const keysOf = new Map<string, Set<string>>();
  const compared = new Set<string>();
  for (const { change } of events) {
    if (change?.record.of !== "set") continue;
    const { key, members, size } = change.record;
    keysOf.set(change.store, (keysOf.get(change.store) ?? new Set()).add(key));
    if (members || size === 0) compared.add(nameOf(change.store, key));
  }
  const states = new Map<string, State>();
  const withMembers = new Map<number, State>();
  for (const [store, keys] of keysOf) {
    for (const some of inChunks([...keys], rowsAtOnce)) {
      const rows = await transaction
        .selectFrom("sets")
        .innerJoin("set_states", "set_states.position", "sets.position")
        .where("sets.store", "=", store)
        .where("sets.key", "in", some)
        .select(["id", "key", "at", "is_known", "epoch", "number"])
        .execute();
      for (const { key, is_known: isKnown, ...row } of rows) {
        const state = { ...row, isKnown: Boolean(isKnown), on: new Set<FeatureKey>() };
        states.set(nameOf(store, key), state);
        if (compared.has(nameOf(store, key))) withMembers.set(state.id, state);
      }
    }
  }
  for (const some of inChunks([...withMembers.keys()], rowsAtOnce)) {
    for (const { set_id: id, feature } of await membersOf(transaction, some)) {
      if (id !== null) withMembers.get(id)?.on.add(feature);
    }
  }
  return states;
}

/** What the sets of these ids hold, as far as it was told. */
function membersOf(transaction: Transaction<Tables>, ids: readonly number[]) {
  return transaction
    .selectFrom((eb) =>
      eb
        .selectFrom("turns")
        .where("set_id", "in", ids)
        .select(["set_id", "feature", "is_on"])
        .select(({ fn }) =>
          fn
            .agg<number>("row_number")
            .over((over) => over.partitionBy(["set_id", "feature"]).orderBy("position", "desc"))
            .as("recency"),
        )
        .as("told"),
    )
    .where("recency", "=", 1)
    .where("is_on", "=", true)
    .select(["set_id", "feature"])
    .execute();
}

async function foldSpans(transaction: Transaction<Tables>, events: readonly Event[]): Promise<void> {
  const spans = new Map<number, { earliest: number; latest: number }>();
  for (const { position, at } of events) {
    const start = position - 1 - ((position - 1) % spanLength);
    const { earliest, latest } = spans.get(start) ?? { earliest: at, latest: at };
    spans.set(start, { earliest: Math.min(earliest, at), latest: Math.max(latest, at) });
  }
  if (spans.size === 0) return;
  const rows = [...spans].map(([start, { earliest, latest }]) => ({
    start,
    earliest: instant(earliest),
    latest: instant(latest),
  }));
  await transaction
    .insertInto("spans")
    .values(rows)
    .onConflict((conflict) =>
      conflict.column("start").doUpdateSet((eb) => ({
        earliest: eb
          .case()
          .when("excluded.earliest", "<", eb.ref("spans.earliest"))
          .then(eb.ref("excluded.earliest"))
          .else(eb.ref("spans.earliest"))
          .end(),
        latest: eb
          .case()
          .when("excluded.latest", ">", eb.ref("spans.latest"))
          .then(eb.ref("excluded.latest"))
          .else(eb.ref("spans.latest"))
          .end(),
      })),
    )
    .execute();
}
