import { randomUUID } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import type { ItemStore } from "../../../domain/feeds/item-store.ts";
import type { SqliteJournal } from "../sqlite-journal.ts";

/** Item store in a SQLite database. */
export function sqliteItemStore(database: DatabaseSync, journal: SqliteJournal): ItemStore {
  const selectHead = database.prepare("SELECT epoch, number, state FROM providers WHERE name = ?");
  const insertHead = database.prepare(
    "INSERT INTO providers (name, epoch, number) VALUES (?, ?, 0) ON CONFLICT (name) DO NOTHING",
  );
  const setNumber = database.prepare("UPDATE providers SET number = ? WHERE name = ?");
  const upsertItem = database.prepare("INSERT OR REPLACE INTO items (provider, id, number, value) VALUES (?, ?, ?, ?)");
  const selectSince = database.prepare(
    "SELECT number, value FROM items WHERE provider = ? AND number > ? ORDER BY number LIMIT ?",
  );
  const setState = database.prepare("UPDATE providers SET state = ? WHERE name = ?");

  /** Writes without waiting for the disk, unlike operators' changes: items lost in a power cut are read again. */
  function write(task: () => void): void {
    database.exec("PRAGMA synchronous = NORMAL");
    try {
      journal.transaction(task);
    } finally {
      database.exec("PRAGMA synchronous = FULL");
    }
  }

  return {
    async put(feed, items) {
      write(() => {
        insertHead.run(feed, randomUUID());
        let number = Number(selectHead.get(feed)?.["number"]);
        for (const item of items) {
          number += 1;
          upsertItem.run(feed, item.id, number, JSON.stringify(item));
        }
        setNumber.run(number, feed);
      });
    },
    async since(feed, revision, limit) {
      const head = selectHead.get(feed);
      if (!head) return { items: [], revision: undefined, state: undefined };
      const epoch = String(head["epoch"]);
      const from = revision?.epoch === epoch ? revision.number : 0;
      const rows = selectSince.all(feed, from, limit);
      const state = head["state"];
      return {
        items: rows.map(({ value }) => JSON.parse(String(value))),
        revision: { epoch, number: Number(rows.at(-1)?.["number"] ?? from) },
        state: typeof state === "string" ? JSON.parse(state) : undefined,
      };
    },
    async saveState(feed, state) {
      write(() => {
        insertHead.run(feed, randomUUID());
        setState.run(JSON.stringify(state), feed);
      });
    },
  };
}
