import type { ChangeOptions } from "../../domain/admin/change.ts";
import type { DocumentLoad, DocumentStore } from "../../domain/admin/document-store.ts";
import type { EditableRules } from "../../domain/admin/editable-rules.ts";
import type { EditableSet } from "../../domain/admin/editable-set.ts";
import type { SetLoad } from "../../domain/admin/feature-store.ts";
import type { TokenLoad, TokenStore } from "../../domain/admin/token-store.ts";
import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import type { FeatureKey } from "../../domain/evaluation/feature.ts";
import type { CatalogueEntry } from "../admin/catalogue.ts";
import { catalogueCollection } from "../events/change-event.ts";
import type { CatalogueLine } from "./data-line.ts";
import { type LaneTarget, LoadLane } from "./load-lane.ts";

export type ImportLanes = ReturnType<typeof importLanes>;

/**
 * The lanes of an import: one for each kind of data in a store. Features of one set are merged; of a token, a
 * description or a rule, the last line wins. `descriptions`: the present ones.
 */
export function importLanes(
  author: Pick<ChangeOptions, "by" | "email" | "note">,
  load: string,
  descriptions: ReadonlyMap<FeatureKey, CatalogueEntry>,
  now: Instant,
) {
  const lanes = new Map<string, LoadLane<unknown>>();

  function lane<Item>(name: string, target: LaneTarget<Item>): LoadLane<Item> {
    const found = lanes.get(name) ?? new LoadLane<unknown>(author, `${load}:${name}`, target as LaneTarget<unknown>);
    lanes.set(name, found);
    return found as LoadLane<Item>;
  }

  function documentOf({ catalogue: name, description, owner, tags, archived, ...line }: CatalogueLine): DocumentLoad {
    const created = line.created ?? descriptions.get(name)?.created ?? now;
    const value = { description, owner, tags, archived, created };
    return { collection: catalogueCollection, name, value };
  }

  return {
    ofSets: ({ connection, changes }: EditableSet) =>
      lane<SetLoad>(`sets:${connection}`, {
        store: (batch) => changes.load(batch),
        nameOf: ({ key }) => key,
        merged: (earlier, later) => ({ ...later, features: [...new Set([...earlier.features, ...later.features])] }),
        weightOf: ({ features }) => features.length,
      }),
    ofTokens: (store: TokenStore) =>
      lane<TokenLoad>("tokens", {
        store: (batch) => store.load(batch),
        // No collision: a digest starts with a colon.
        nameOf: (item) => ("token" in item ? item.token : `:${item.digest}`),
      }),
    ofEntries: (store: DocumentStore) =>
      lane<CatalogueLine>("catalogue", {
        store: (batch) => store.load({ ...batch, items: batch.items.map(documentOf) }),
        nameOf: ({ catalogue }) => catalogue,
      }),
    ofRules: ({ connection, documents }: EditableRules) =>
      lane<DocumentLoad>(`rules:${connection}`, {
        store: (batch) => documents.load(batch),
        nameOf: ({ collection, name }) => `${collection}/${name}`,
      }),
    /** Waits until everything is stored. Returns the numbers of records made and of items skipped. */
    async end(): Promise<{ readonly records: number; readonly skipped: number }> {
      const counts = { records: 0, skipped: 0 };
      for (const each of lanes.values()) {
        await each.end();
        counts.records += each.records;
        counts.skipped += each.skipped;
      }
      return counts;
    },
  };
}
