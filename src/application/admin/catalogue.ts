import { type ChangeOptions, isSameRevision, type Revision } from "../../domain/admin/change.ts";
import type { DocumentStore } from "../../domain/admin/document-store.ts";
import { ChangeRejected, notServed, RevisionMismatch } from "../../domain/errors.ts";
import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import { type FeatureKey, isServedKey, type Json } from "../../domain/evaluation/feature.ts";
import type { Rules, RulesByFeature } from "../../domain/evaluation/rules.ts";
import { catalogueCollection } from "../events/change-event.ts";
import { callStore } from "./call-store.ts";

/** The description of a feature. */
export type Description = {
  readonly description: string;
  readonly owner: string;
  readonly tags: readonly string[];
  /** Whether the feature is archived. Affects the display only. */
  readonly archived: boolean;
};

/** Catalogue entry of a described feature. `created` is the time of its first description. */
export type CatalogueEntry = Description & { readonly created: Instant };

/** The store of the catalogue. `rules` may be a cache of the documents. */
type CatalogueStore = { readonly documents: DocumentStore; readonly rules: Rules };

/** Catalogue: descriptions of features. They have no effect on evaluations. */
export class Catalogue {
  readonly #store: CatalogueStore | undefined;
  readonly #newId: () => string;
  readonly #now: () => Instant;

  /** Without a store the catalogue is empty and rejects changes. */
  constructor(store: CatalogueStore | undefined, newId: () => string, now: () => Instant) {
    this.#store = store;
    this.#newId = newId;
    this.#now = now;
  }

  /** All entries. The same map as long as none changes, if the store is cached. */
  async all(): Promise<ReadonlyMap<FeatureKey, CatalogueEntry>> {
    const { rules } = this.#store ?? {};
    const read = await callStore("catalogue", async () => rules?.read(catalogueCollection));
    return read ? entriesIn(read.value) : new Map();
  }

  async get(feature: FeatureKey): Promise<{ readonly entry: CatalogueEntry; readonly revision: Revision } | undefined> {
    const found = await callStore("catalogue", async () => this.#store?.documents.get(catalogueCollection, feature));
    return found && isEntry(found.value) ? { entry: found.value, revision: found.revision } : undefined;
  }

  /** The entry that a description would make now. Rejects with `ChangeRejected` for a key that is not served. */
  async entryOf(feature: FeatureKey, description: Description): Promise<CatalogueEntry> {
    if (!isServedKey(feature)) throw notServed(feature);
    return { ...description, created: (await this.get(feature))?.entry.created ?? this.#now() };
  }

  /** Describes a feature, known or not. Rejects as `entryOf` and `DocumentStore` do. */
  async put(
    feature: FeatureKey,
    description: Description,
    options: ChangeOptions,
  ): Promise<{ readonly entry: CatalogueEntry; readonly revision: Revision }> {
    const entry = await this.entryOf(feature, description);
    const { revision } = await this.#put(feature, entry, options);
    return { entry, revision };
  }

  /** Removes the description of a feature. Returns whether there was one. Rejects as `DocumentStore` does. */
  async remove(
    feature: FeatureKey,
    options: ChangeOptions,
  ): Promise<{ readonly removed: boolean; readonly revision: Revision }> {
    const { before, revision } = await this.#put(feature, null, options);
    return { removed: before !== undefined, revision };
  }

  /** Puts an earlier entry back as it was; `null` removes the entry. Rejects as `put` does. */
  async restore(feature: FeatureKey, entry: Json, options: ChangeOptions): Promise<{ readonly revision: Revision }> {
    return this.#put(feature, entry, options);
  }

  /** Checks the precondition of a change. Rejects as the change would. */
  async check(feature: FeatureKey, ifRevision: Revision | null | undefined): Promise<void> {
    if (ifRevision === undefined) return;
    const found = await this.get(feature);
    if (!isSameRevision(ifRevision ?? undefined, found?.revision)) throw new RevisionMismatch();
  }

  async #put(feature: FeatureKey, value: Json, options: ChangeOptions) {
    if (!this.#store) {
      throw new ChangeRejected(
        "No store is configured for the catalogue. Add a source of kind set; the catalogue uses its store.",
        "not-changeable",
      );
    }
    const { documents } = this.#store;
    const change = { ...options, id: this.#newId(), collection: catalogueCollection, name: feature, value };
    return callStore("catalogue", () => documents.put(change));
  }
}

const knownEntries = new WeakMap<RulesByFeature, ReadonlyMap<FeatureKey, CatalogueEntry>>();

function entriesIn(documents: RulesByFeature): ReadonlyMap<FeatureKey, CatalogueEntry> {
  const known = knownEntries.get(documents);
  if (known) return known;
  const entries = new Map([...documents].flatMap(([feature, value]) => (isEntry(value) ? [[feature, value]] : [])));
  knownEntries.set(documents, entries);
  return entries;
}

/** Whether a document is a valid entry; other tools may write to the store. */
function isEntry(value: Json): value is CatalogueEntry {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const { description, owner, tags, archived, created } = value as Readonly<Record<string, Json>>;
  return (
    typeof description === "string" &&
    typeof owner === "string" &&
    Array.isArray(tags) &&
    tags.every((tag) => typeof tag === "string") &&
    typeof archived === "boolean" &&
    typeof created === "number"
  );
}
