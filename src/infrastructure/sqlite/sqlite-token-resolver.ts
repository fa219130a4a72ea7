import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { UserId } from "../../domain/evaluation-context.ts";
import { type Held, readAt } from "../../domain/held.ts";
import { isToken } from "../../domain/token.ts";
import type { TokenResolver } from "../../domain/token-resolver.ts";
import { storedUser } from "../stored-user.ts";
import type { TokenKey } from "../token-key.ts";

/** Looks tokens up in a SQLite database. */
export class SqliteTokenResolver implements TokenResolver {
  readonly #select: StatementSync;
  readonly #keyOf: TokenKey;

  constructor(database: DatabaseSync, keyOf: TokenKey) {
    this.#select = database.prepare("SELECT user_id FROM tokens WHERE key = ?");
    this.#keyOf = keyOf;
  }

  async resolve(token: string): Promise<Held<UserId | undefined>> {
    const at = Date.now();
    if (!isToken(token)) return readAt(undefined, at);
    const row = this.#select.get(this.#keyOf(token));
    return readAt(row && storedUser(String(row["user_id"])), at);
  }
}
