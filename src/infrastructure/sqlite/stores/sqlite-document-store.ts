import type { DatabaseSync } from "node:sqlite";
import { v7 as uuidv7 } from "uuid";
import { authorOf } from "../../../domain/admin/batch.ts";
import { recordMetaOf } from "../../../domain/admin/change.ts";
import type { ChangedDocument, Document, DocumentChange, DocumentStore } from "../../../domain/admin/document-store.ts";
import { demandRevision, epochAfter, headAfter, headIn, type SqliteJournal } from "../sqlite-journal.ts";

/** Document store in a SQLite database. The revision of a deleted document is kept. */
export function sqliteDocumentStore(database: DatabaseSync, journal: SqliteJournal): DocumentStore {
  const selectOne = database.prepare(
    "SELECT value, epoch, number, at FROM documents WHERE collection = ? AND name = ?",
  );
  const selectAll = database.prepare(
    "SELECT name, value, epoch, number, at FROM documents WHERE collection = ? AND value IS NOT NULL ORDER BY name",
  );
  const selectHeads = database.prepare("SELECT name, epoch, number, at FROM documents WHERE collection = ?");
  const upsert = database.prepare(
    "INSERT OR REPLACE INTO documents (collection, name, value, epoch, number, at) VALUES (?, ?, ?, ?, ?, ?)",
  );

  function putOne(change: DocumentChange): ChangedDocument {
    const { collection, name, value } = change;
    const row = selectOne.get(collection, name);
    const present = row && documentIn(row);
    demandRevision(change.ifRevision, present?.revision);
    const { revision, at } = (change.newEpoch ? epochAfter : headAfter)(row && headIn(row), change.id);
    const text = value === null ? null : JSON.stringify(value);
    upsert.run(collection, name, text, revision.epoch, revision.number, at);
    journal.append({ of: "document", ...recordMetaOf(change), at, revision, collection, name, value });
    return { before: present?.value, revision };
  }

  return {
    async get(collection, name) {
      const row = selectOne.get(collection, name);
      return row && documentIn(row);
    },
    async all(collection) {
      const documents = new Map<string, Document>();
      for (const row of selectAll.iterate(collection)) {
        const document = documentIn(row);
        if (document) documents.set(String(row["name"]), document);
      }
      return documents;
    },
    async revisions(collection) {
      const rows = selectHeads.all(collection);
      return new Map(rows.map((row) => [String(row["name"]), headIn(row).revision]));
    },
    async put(change) {
      const { collection, name } = change;
      const item = `document:${JSON.stringify([collection, name])}`;
      return journal.change(item, change.idempotencyKey, () => putOne(change), change.value === null);
    },
    async load(batch) {
      return journal.load(batch, (document) => {
        const row = selectOne.get(document.collection, document.name);
        if (row?.["value"] === JSON.stringify(document.value)) return false;
        putOne({ ...authorOf(batch), id: uuidv7(), ...document });
        return true;
      });
    },
  };
}

function documentIn(row: Record<string, unknown>): Document | undefined {
  const value = row["value"];
  return typeof value === "string" ? { value: JSON.parse(value), revision: headIn(row).revision } : undefined;
}
