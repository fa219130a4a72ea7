import type { CachedRead } from "./cached-read.ts";
import type { UserId } from "./evaluation-context.ts";

/**
 * Token resolver: maps a token to its user id.
 *
 * Returns `undefined` for an unknown token. Rejects if the store is unreachable, so an outage is never reported as
 * unknown. A token of invalid syntax ({@link ./token.ts}) is unknown without a read. Returns synchronously if it can.
 */
export interface TokenResolver {
  /** The key under which the store has the token's user. It may contain the token. */
  keyOf(token: string): string;
  resolve(token: string): CachedRead<UserId | undefined> | Promise<CachedRead<UserId | undefined>>;
  /** Resolves the token that has a key. Returns and rejects as `resolve` does. */
  resolveKey(key: string): CachedRead<UserId | undefined> | Promise<CachedRead<UserId | undefined>>;
}
