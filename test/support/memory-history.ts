import type { SetRecord } from "../../src/domain/admin/change.ts";
import type { Instant } from "../../src/domain/evaluation/evaluation-context.ts";
import type { FeatureKey } from "../../src/domain/evaluation/feature.ts";
import type { Event } from "../../src/domain/events/event.ts";
import type { History, LastChange } from "../../src/domain/events/history.ts";

/** A record of a change of a set; the other fields have defaults. */
export type RecordFields = Pick<SetRecord, "key" | "at"> & Partial<SetRecord> & { readonly store?: string };

/** A history of sets, recorded in order, oldest first, that a test can make fail. */
export class MemoryHistory implements History {
  fault: Error | undefined;
  readonly #events: (Event & { readonly change: { readonly store: string; readonly record: SetRecord } })[] = [];

  /** Appends the records; returns the id of the last. */
  record(...all: readonly RecordFields[]): string {
    for (const { store = "store", ...fields } of all) {
      const number = this.#events.length + 1;
      const id = `event-${number}`;
      const record: SetRecord = {
        of: "set",
        id,
        by: "anna",
        origin: fields.members ? "baseline" : "change",
        added: [],
        removed: [],
        size: 0,
        revision: { epoch: "e", number },
        ...fields,
      };
      const event = { id, component: "features", environment: "test", email: "", message: "", data: {}, hash: "" };
      const { at, by } = record;
      this.#events.push({ ...event, at, recordedBy: by, position: number, change: { store, record } });
    }
    return `event-${this.#events.length}`;
  }

  async setAt(store: string, key: string, at: Instant) {
    let features: Set<FeatureKey> | undefined;
    let recordedAt = at;
    for (const { added, removed, members, at: then } of this.#records(store, key, at)) {
      if (members) features = new Set(members);
      for (const feature of added) features?.add(feature);
      for (const feature of removed) features?.delete(feature);
      recordedAt = then;
    }
    return features && { features: [...features], recordedAt };
  }

  async firstRecord(store: string, key: string) {
    return this.#records(store, key, Number.POSITIVE_INFINITY)[0]?.at;
  }

  async lastChanges(store: string, key: string, at: Instant, only?: readonly FeatureKey[]) {
    const lastChanges = new Map<FeatureKey, LastChange>();
    for (const event of this.#of(store, key, at)) {
      const { added, removed, members = [] } = event.change.record;
      for (const feature of added) lastChanges.set(feature, { feature, on: true, event });
      for (const feature of removed) lastChanges.set(feature, { feature, on: false, event });
      for (const feature of members) {
        if (lastChanges.get(feature)?.on !== true) lastChanges.set(feature, { feature, on: true, event });
      }
    }
    return [...lastChanges.values()].filter(({ feature }) => only?.includes(feature) ?? true);
  }

  async changesOf(store: string, keys: readonly string[], from: Instant, to: Instant) {
    return keys.flatMap((key) => this.#of(store, key, to)).filter(({ at }) => at > from);
  }

  lastChangeOf = () => Promise.resolve(undefined);
  changedFeatures = () => Promise.resolve({ positions: new Map(), upTo: 0 });
  documentAt = () => Promise.resolve(undefined);
  documentsAt = () => Promise.resolve(undefined);
  documentChangesOf = () => Promise.resolve([]);
  keys = () => Promise.resolve([]);

  async revisions(store: string, key: string) {
    const last = this.#records(store, key, Number.POSITIVE_INFINITY).at(-1);
    return last ? [{ key, revision: last.revision }] : [];
  }

  #records(store: string, key: string, at: Instant) {
    return this.#of(store, key, at).map(({ change: { record } }) => record);
  }

  #of(store: string, key: string, to: Instant) {
    if (this.fault) throw this.fault;
    return this.#events.filter(({ at, change }) => change.store === store && change.record.key === key && at <= to);
  }
}
