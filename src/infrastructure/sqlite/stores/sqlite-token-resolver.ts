import type { DatabaseSync, StatementSync } from "node:sqlite";
import { type CachedRead, uncachedRead } from "../../../domain/evaluation/cached-read.ts";
import type { UserId } from "../../../domain/evaluation/evaluation-context.ts";
import { isToken } from "../../../domain/evaluation/token.ts";
import type { TokenResolver } from "../../../domain/evaluation/token-resolver.ts";
import { storedUser } from "../../stored-user.ts";
import type { TokenKeyDerivation } from "../../token-key.ts";

/** Token resolver in a SQLite database. */
export class SqliteTokenResolver implements TokenResolver {
  readonly keyOf: TokenKeyDerivation;
  readonly #select: StatementSync;

  constructor(database: DatabaseSync, keyOf: TokenKeyDerivation) {
    this.#select = database.prepare("SELECT user_id FROM tokens WHERE key = ?");
    this.keyOf = keyOf;
  }

  async resolve(token: string): Promise<CachedRead<UserId | undefined>> {
    return isToken(token) ? this.resolveKey(this.keyOf(token)) : uncachedRead(undefined, Date.now());
  }

  async resolveKey(key: string): Promise<CachedRead<UserId | undefined>> {
    const at = Date.now();
    const row = this.#select.get(key);
    return uncachedRead(row && storedUser(String(row["user_id"])), at);
  }
}
