import { isSameRevision, type Revision } from "../../domain/admin/change.ts";
import type { DocumentStore } from "../../domain/admin/document-store.ts";
import { ChangeRejected, notServed, RevisionMismatch } from "../../domain/errors.ts";
import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import { type FeatureKey, isServedKey, type Json } from "../../domain/evaluation/feature.ts";
import { catalogueCollection } from "../events/change-event.ts";
import type { ChangeAuthor } from "./author.ts";
import { callStore } from "./call-store.ts";

/** What people say of a feature. */
export type Description = {
  readonly description: string;
  readonly owner: string;
  readonly tags: readonly string[];
  /** Whether it is done with. That changes nothing but how it is shown. */
  readonly archived: boolean;
};

/** What is known of a feature that people have described. `created` is when it first was. */
export type CatalogueEntry = Description & { readonly created: Instant };

/** What people say of features: kept for them, and of no effect on what is on. */
export class Catalogue {
  readonly #documents: DocumentStore | undefined;
  readonly #newId: () => string;
  readonly #now: () => Instant;

  /** Without a store there are no entries, and none can be made. */
  constructor(documents: DocumentStore | undefined, newId: () => string, now: () => Instant) {
    this.#documents = documents;
    this.#newId = newId;
    this.#now = now;
  }

  async all(): Promise<ReadonlyMap<FeatureKey, CatalogueEntry>> {
    const documents = await callStore("catalogue", async () => this.#documents?.all(catalogueCollection));
    return new Map(
      [...(documents ?? [])].flatMap(([feature, { value }]) => (isEntry(value) ? [[feature, value]] : [])),
    );
  }

  async get(feature: FeatureKey): Promise<{ readonly entry: CatalogueEntry; readonly revision: Revision } | undefined> {
    const found = await callStore("catalogue", async () => this.#documents?.get(catalogueCollection, feature));
    return found && isEntry(found.value) ? { entry: found.value, revision: found.revision } : undefined;
  }

  /** The entry that a description makes now. Rejects with `ChangeRefused` for a key that is not served. */
  async entryOf(feature: FeatureKey, description: Description): Promise<CatalogueEntry> {
    if (!isServedKey(feature)) throw notServed(feature);
    return { ...description, created: (await this.get(feature))?.entry.created ?? this.#now() };
  }

  /** Describes a feature, known or not yet. Rejects as `entryOf` and `DocumentStore` do. */
  async put(
    feature: FeatureKey,
    description: Description,
    author: ChangeAuthor,
  ): Promise<{ readonly entry: CatalogueEntry; readonly revision: Revision }> {
    const entry = await this.entryOf(feature, description);
    const { revision } = await this.#put(feature, entry, author);
    return { entry, revision };
  }

  /** Forgets what was said of a feature; answers whether there was anything. Rejects as `DocumentStore` does. */
  async remove(
    feature: FeatureKey,
    author: ChangeAuthor,
  ): Promise<{ readonly removed: boolean; readonly revision: Revision }> {
    const { before, revision } = await this.#put(feature, null, author);
    return { removed: before !== undefined, revision };
  }

  /** Rejects as a change for that revision would. */
  async check(feature: FeatureKey, ifRevision: Revision | null | undefined): Promise<void> {
    if (ifRevision === undefined) return;
    const found = await this.get(feature);
    if (!isSameRevision(ifRevision ?? undefined, found?.revision)) throw new RevisionMismatch();
  }

  async #put(feature: FeatureKey, value: Json, author: ChangeAuthor) {
    if (!this.#documents) {
      throw new ChangeRejected(
        "There is no store for the catalogue; it is kept where the first source of kind set has its sets, so add one.",
        "not-changeable",
      );
    }
    const documents = this.#documents;
    const change = { ...author, id: this.#newId(), collection: catalogueCollection, name: feature, value };
    return callStore("catalogue", () => documents.put(change));
  }
}

/** Whether a document is an entry; others than we may have written to the store. */
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
