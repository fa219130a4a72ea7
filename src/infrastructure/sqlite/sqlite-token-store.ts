import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { UserId } from "../../domain/evaluation-context.ts";
import type { TokenStore } from "../../domain/token-store.ts";
import type { TokenKey } from "../token-key.ts";

/** Keeps tokens in a SQLite database. */
export class SqliteTokenStore implements TokenStore {
  readonly #select: StatementSync;
  readonly #upsert: StatementSync;
  readonly #delete: StatementSync;
  readonly #keyOf: TokenKey;

  constructor(database: DatabaseSync, keyOf: TokenKey) {
    this.#select = database.prepare("SELECT user_id FROM tokens WHERE key = ?");
    this.#upsert = database.prepare("INSERT OR REPLACE INTO tokens (key, user_id) VALUES (?, ?)");
    this.#delete = database.prepare("DELETE FROM tokens WHERE key = ? RETURNING user_id");
    this.#keyOf = keyOf;
  }

  async assign(token: string, userId: UserId): Promise<UserId | undefined> {
    const before = this.#select.get(this.#keyOf(token));
    this.#upsert.run(this.#keyOf(token), userId);
    return before && String(before["user_id"]);
  }

  async revoke(token: string): Promise<UserId | undefined> {
    const row = this.#delete.get(this.#keyOf(token));
    return row && String(row["user_id"]);
  }
}
