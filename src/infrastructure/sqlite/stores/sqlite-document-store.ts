import type { DatabaseSync, StatementSync } from "node:sqlite";
import { v7 as uuidv7 } from "uuid";
import { authorOf, type Batch, type BatchResult } from "../../../domain/admin/batch.ts";
import { authorOfRecord, type Revision } from "../../../domain/admin/change.ts";
import type { Document, DocumentChange, DocumentLoad, DocumentStore } from "../../../domain/admin/document-store.ts";
import type { Json } from "../../../domain/evaluation/feature.ts";
import { demandRevision, epochAfter, headAfter, headIn, type SqliteJournal } from "../sqlite-journal.ts";

/** Document store in a SQLite database. The revision of a deleted document is kept. */
export class SqliteDocumentStore implements DocumentStore {
  readonly #journal: SqliteJournal;
  readonly #one: StatementSync;
  readonly #all: StatementSync;
  readonly #heads: StatementSync;
  readonly #upsert: StatementSync;

  constructor(database: DatabaseSync, journal: SqliteJournal) {
    this.#journal = journal;
    this.#one = database.prepare("SELECT value, epoch, number, at FROM documents WHERE collection = ? AND name = ?");
    this.#all = database.prepare(
      "SELECT name, value, epoch, number, at FROM documents WHERE collection = ? AND value IS NOT NULL ORDER BY name",
    );
    this.#heads = database.prepare("SELECT name, epoch, number, at FROM documents WHERE collection = ?");
    this.#upsert = database.prepare(
      "INSERT OR REPLACE INTO documents (collection, name, value, epoch, number, at) VALUES (?, ?, ?, ?, ?, ?)",
    );
  }

  async get(collection: string, name: string): Promise<Document | undefined> {
    const row = this.#one.get(collection, name);
    return row && documentIn(row);
  }

  async all(collection: string): Promise<ReadonlyMap<string, Document>> {
    const documents = new Map<string, Document>();
    for (const row of this.#all.iterate(collection)) {
      const document = documentIn(row);
      if (document) documents.set(String(row["name"]), document);
    }
    return documents;
  }

  async revisions(collection: string): Promise<ReadonlyMap<string, Revision>> {
    const rows = this.#heads.all(collection);
    return new Map(rows.map((row) => [String(row["name"]), headIn(row).revision]));
  }

  async put(change: DocumentChange): Promise<{ readonly before: Json | undefined; readonly revision: Revision }> {
    const { collection, name } = change;
    const item = `document:${JSON.stringify([collection, name])}`;
    return this.#journal.change(item, change.idempotencyKey, () => this.#put(change), change.value === null);
  }

  async load(batch: Batch<DocumentLoad>): Promise<BatchResult> {
    return this.#journal.load(batch, (document) => {
      const row = this.#one.get(document.collection, document.name);
      if (row?.["value"] === JSON.stringify(document.value)) return false;
      this.#put({ ...authorOf(batch), id: uuidv7(), ...document });
      return true;
    });
  }

  #put(change: DocumentChange): { readonly before: Json | undefined; readonly revision: Revision } {
    const { collection, name, value } = change;
    const row = this.#one.get(collection, name);
    const present = row && documentIn(row);
    demandRevision(change.ifRevision, present?.revision);
    const { revision, at } = (change.newEpoch ? epochAfter : headAfter)(row && headIn(row), change.id);
    const text = value === null ? null : JSON.stringify(value);
    this.#upsert.run(collection, name, text, revision.epoch, revision.number, at);
    this.#journal.append({ of: "document", ...authorOfRecord(change), at, revision, collection, name, value });
    return { before: present?.value, revision };
  }
}

function documentIn(row: Record<string, unknown>): Document | undefined {
  const value = row["value"];
  return typeof value === "string" ? { value: JSON.parse(value), revision: headIn(row).revision } : undefined;
}
