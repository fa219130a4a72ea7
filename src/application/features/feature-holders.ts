import type { EditableSet } from "../../domain/admin/editable-set.ts";
import type { ManagedSource } from "../../domain/admin/managed-source.ts";
import { ChangeRejected, UnknownSource } from "../../domain/errors.ts";
import { compareKeys, type FeatureKey, inOrder } from "../../domain/evaluation/feature.ts";
import type { KeyField } from "../../domain/evaluation/key-template.ts";
import { callStore } from "../admin/call-store.ts";
import type { EditableSources } from "../admin/editable-sources.ts";
import { hasUsers, holdersIn, usersOf } from "./source-listing.ts";

/** A page of the users or locations that have a feature in a set of their own. */
export type Holders = {
  readonly source: string;
  readonly values: readonly string[];
  /** Continues; absent on the last page. */
  readonly next?: string;
  /** The number of all; `null` if it is not known. */
  readonly total: number | null;
};

/** Lists the users and locations that have a feature in a set of their own. */
export class FeatureHolders {
  readonly #sources: EditableSources;

  constructor(sources: EditableSources) {
    this.#sources = sources;
  }

  /**
   * A page of users, sorted by the keys of their sets. Beyond the number of sets that a store can read at once, the
   * order is the store's: pages may be shorter than `limit`, even empty, and a user may come twice. `source`: the
   * source with the sets; default: the first. Rejects with `UnknownSource`, with `ChangeRejected` if no source has such
   * sets, and with `SourceUnavailable`.
   */
  users(feature: FeatureKey, limit: number, after?: string, source?: string): Promise<Holders> {
    return this.#page(this.#sourceWith("userId", source), "userId", { feature, limit, after });
  }

  /** A page of locations, as of users. */
  locations(feature: FeatureKey, limit: number, after?: string, source?: string): Promise<Holders> {
    return this.#page(this.#sourceWith("location", source), "location", { feature, limit, after });
  }

  async #page(
    source: ManagedSource & { readonly editableSet: EditableSet },
    field: KeyField,
    query: { readonly feature: FeatureKey; readonly limit: number; readonly after: string | undefined },
  ): Promise<Holders> {
    const { name, editableSet: stored } = source;
    const { feature, limit, after } = query;
    const { key, index } = stored;
    const valuesOf = (keys: readonly string[]) => keys.flatMap((each) => key.valuesIn(each)?.[field] ?? []);
    return callStore(name, async () => {
      const contents = await index.contents(key.prefix);
      if (!contents) {
        const [{ keys, next }, counts] = await Promise.all([
          index.holding(key.prefix, feature, limit, after),
          usersOf(source, [feature]),
        ]);
        return { source: name, values: valuesOf(keys), ...(next !== undefined && { next }), total: counts[0] ?? null };
      }
      const all = inOrder((holdersIn(contents.sets).get(feature) ?? []).filter((each) => key.matches(each)));
      const start = after === undefined ? 0 : all.findIndex((each) => compareKeys(each, after) > 0);
      const keys = start === -1 ? [] : all.slice(start, start + limit);
      const last = keys.at(-1);
      const isLast = last === undefined || last === all.at(-1);
      return { source: name, values: valuesOf(keys), ...(!isLast && { next: last }), total: all.length };
    });
  }

  #sourceWith(field: KeyField, name: string | undefined): ManagedSource & { readonly editableSet: EditableSet } {
    const fits = (source: ManagedSource): source is ManagedSource & { readonly editableSet: EditableSet } =>
      field === "userId" ? hasUsers(source) : (source.editableSet?.key.fields.includes("location") ?? false);
    const { sources } = this.#sources;
    const found = name === undefined ? sources.find(fits) : sources.find((each) => each.name === name);
    if (found && fits(found)) return found;
    if (name !== undefined && !found) throw new UnknownSource();
    const what = field === "userId" ? "user" : "location";
    const which = name === undefined ? "No source" : `Source "${name}" does not have`;
    throw new ChangeRejected(
      name === undefined ? `${which} has one set per ${what}.` : `${which} one set per ${what}. Name another source.`,
      "not-changeable",
    );
  }
}
