import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { FeatureStore, SetChange, SetChanged } from "../../domain/feature-store.ts";

/** Changes the sets of a SQLite database, each change in one transaction. */
export class SqliteFeatureStore implements FeatureStore {
  readonly #database: DatabaseSync;
  readonly #insert: StatementSync;
  readonly #delete: StatementSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#insert = database.prepare("INSERT OR IGNORE INTO members (key, feature) VALUES (?, ?)");
    this.#delete = database.prepare("DELETE FROM members WHERE key = ? AND feature = ?");
  }

  async apply({ key, add, remove }: SetChange): Promise<SetChanged> {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      const removed = remove.filter((feature) => this.#delete.run(key, feature).changes === 1);
      const added = add.filter((feature) => this.#insert.run(key, feature).changes === 1);
      this.#database.exec("COMMIT");
      return { added, removed };
    } catch (error) {
      this.#database.exec("ROLLBACK");
      throw error;
    }
  }
}
