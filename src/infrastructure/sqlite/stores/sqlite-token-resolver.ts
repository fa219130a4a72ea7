import type { DatabaseSync } from "node:sqlite";
import { type CachedRead, uncachedRead } from "../../../domain/evaluation/cached-read.ts";
import type { UserId } from "../../../domain/evaluation/evaluation-context.ts";
import { isToken } from "../../../domain/evaluation/token.ts";
import type { TokenResolver } from "../../../domain/evaluation/token-resolver.ts";
import { storedUser } from "../../stores/stored-user.ts";
import type { TokenKeyDerivation } from "../../token-key.ts";

/** Token resolver in a SQLite database. */
export function sqliteTokenResolver(database: DatabaseSync, keyOf: TokenKeyDerivation): TokenResolver {
  const select = database.prepare("SELECT user_id FROM tokens WHERE key = ?");

  async function resolveKey(key: string): Promise<CachedRead<UserId | undefined>> {
    const at = Date.now();
    const row = select.get(key);
    return uncachedRead(row && storedUser(String(row["user_id"])), at);
  }

  return {
    keyOf,
    resolveKey,
    resolve: async (token) => (isToken(token) ? resolveKey(keyOf(token)) : uncachedRead(undefined, Date.now())),
  };
}
