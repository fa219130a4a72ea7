import type { ChangeRecord } from "../../domain/admin/change.ts";
import type { EditableSet } from "../../domain/admin/editable-set.ts";
import { type FeatureKey, inOrder } from "../../domain/evaluation/feature.ts";
import { isValue, type KeyValues } from "../../domain/evaluation/key-template.ts";
import type { AffectingFilter, Event } from "../../domain/events/event.ts";
import type { EditableSources } from "../admin/editable-sources.ts";
import { featuresIn } from "../events/change-event.ts";

/** The features, sources and caller that a change in an event concerns, by the present configuration. */
export type ChangeTarget = {
  readonly features: readonly FeatureKey[];
  /** The sources that read the changed set or rule. */
  readonly sources: readonly string[];
  /** The connection of the changed set or rule; `undefined` if no source reads it. */
  readonly connection: string | undefined;
  /** The user and the location of the changed set, and the user of the token. */
  readonly context: KeyValues;
};

/** Finds the features, sources and users that the changes in events concern. */
export class ChangeTargets {
  readonly #sources: EditableSources;
  readonly #storeOf: (connection: string) => string;

  /** `storeOf` returns the name under which the event log records the store of a connection. */
  constructor(sources: EditableSources, storeOf: (connection: string) => string) {
    this.#sources = sources;
    this.#storeOf = storeOf;
  }

  /** The target of a change; `undefined` for an event that is no change. */
  of({ change, data }: Event): ChangeTarget | undefined {
    if (!change) return undefined;
    const { record } = change;
    if (record.of === "token") return { ...noTarget, context: { userId: record.userId } };
    const readers = this.#readersOf(record, storeIn(data));
    const { connection, context } = readers[0] ?? noTarget;
    const sources = readers.flatMap(({ source }) => source ?? []);
    return { features: inOrder(featuresIn(record)), sources, connection, context };
  }

  /** The changes that can affect the features of a user: in the user's sets and tokens, and for everyone. */
  affecting(userId: string): AffectingFilter {
    const keys = this.#sources.sets.flatMap(({ key }) => {
      if (key.fields.length === 0) return [key.text];
      const own = isValue(userId) ? key.keyOf({ userId }) : undefined;
      return own === undefined ? [] : [own];
    });
    const collections = this.#sources.sources.flatMap(({ editableRules: rules }) => rules?.collection ?? []);
    return { userId, keys: [...new Set(keys)], collections: [...new Set(collections)] };
  }

  #readersOf(record: ChangeRecord, store: string | undefined): readonly Reader[] {
    const { sources, additional } = this.#sources;
    const all = [
      ...sources.flatMap(({ name, editableSet, editableRules }) => [
        ...readersOfSet(editableSet ? [editableSet] : [], record, name),
        ...(record.of === "document" && editableRules?.collection === record.collection
          ? [{ source: name, connection: editableRules.connection, context: {} }]
          : []),
      ]),
      ...readersOfSet(additional, record),
    ];
    // Stores may have been renamed since, so the name counts only if the key is in several of them.
    const isAmbiguous = new Set(all.map(({ connection }) => this.#storeOf(connection))).size > 1;
    return isAmbiguous ? all.filter(({ connection }) => this.#storeOf(connection) === store) : all;
  }
}

/** A source, or `undefined` for a set that no source reads, and the values of its key template in the key. */
type Reader = { readonly source?: string; readonly connection: string; readonly context: KeyValues };

const noTarget: ChangeTarget = { features: [], sources: [], connection: undefined, context: {} };

const readersOfSet = (sets: readonly EditableSet[], record: ChangeRecord, source?: string): readonly Reader[] =>
  sets.flatMap(({ key, connection }) => {
    const context = record.of === "set" ? key.valuesIn(record.key) : undefined;
    return context ? [{ ...(source !== undefined && { source }), connection, context }] : [];
  });

/** The connection name in the data of a change, which operators recognise. */
export const storeIn = (data: Event["data"]): string | undefined => {
  const { store } = Object(data) as { readonly store?: unknown };
  return typeof store === "string" ? store : undefined;
};
