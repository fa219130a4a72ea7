import { randomUUID } from "node:crypto";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Revision } from "../../../domain/admin/change.ts";
import type { KnownItem, PollState } from "../../../domain/feeds/item.ts";
import type { ItemChanges, ItemStore } from "../../../domain/feeds/item-store.ts";
import type { SqliteJournal } from "../sqlite-journal.ts";

/** Item store in a SQLite database. */
export class SqliteItemStore implements ItemStore {
  readonly #database: DatabaseSync;
  readonly #journal: SqliteJournal;
  readonly #head: StatementSync;
  readonly #begin: StatementSync;
  readonly #advance: StatementSync;
  readonly #upsert: StatementSync;
  readonly #since: StatementSync;
  readonly #keep: StatementSync;

  constructor(database: DatabaseSync, journal: SqliteJournal) {
    this.#database = database;
    this.#journal = journal;
    this.#head = database.prepare("SELECT epoch, number, state FROM providers WHERE name = ?");
    this.#begin = database.prepare(
      "INSERT INTO providers (name, epoch, number) VALUES (?, ?, 0) ON CONFLICT (name) DO NOTHING",
    );
    this.#advance = database.prepare("UPDATE providers SET number = ? WHERE name = ?");
    this.#upsert = database.prepare("INSERT OR REPLACE INTO items (provider, id, number, value) VALUES (?, ?, ?, ?)");
    this.#since = database.prepare(
      "SELECT number, value FROM items WHERE provider = ? AND number > ? ORDER BY number LIMIT ?",
    );
    this.#keep = database.prepare("UPDATE providers SET state = ? WHERE name = ?");
  }

  async put(feed: string, items: readonly KnownItem[]): Promise<void> {
    this.#write(() => {
      this.#begin.run(feed, randomUUID());
      let number = Number(this.#head.get(feed)?.["number"]);
      for (const item of items) {
        number += 1;
        this.#upsert.run(feed, item.id, number, JSON.stringify(item));
      }
      this.#advance.run(number, feed);
    });
  }

  async since(feed: string, revision: Revision | undefined, limit: number): Promise<ItemChanges> {
    const head = this.#head.get(feed);
    if (!head) return { items: [], revision: undefined, state: undefined };
    const epoch = String(head["epoch"]);
    const from = revision?.epoch === epoch ? revision.number : 0;
    const rows = this.#since.all(feed, from, limit);
    const state = head["state"];
    return {
      items: rows.map(({ value }) => JSON.parse(String(value))),
      revision: { epoch, number: Number(rows.at(-1)?.["number"] ?? from) },
      state: typeof state === "string" ? JSON.parse(state) : undefined,
    };
  }

  async saveState(feed: string, state: PollState): Promise<void> {
    this.#write(() => {
      this.#begin.run(feed, randomUUID());
      this.#keep.run(JSON.stringify(state), feed);
    });
  }

  /** Writes without waiting for the disk, unlike operators' changes: items lost in a power cut are read again. */
  #write(task: () => void): void {
    this.#database.exec("PRAGMA synchronous = NORMAL");
    try {
      this.#journal.transaction(task);
    } finally {
      this.#database.exec("PRAGMA synchronous = FULL");
    }
  }
}
