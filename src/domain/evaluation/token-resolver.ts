import type { CachedRead } from "./cached-read.ts";
import type { UserId } from "./evaluation-context.ts";

/**
 * Port: who a token speaks for.
 *
 * Answers the user id, or `undefined` for a token nobody is known by. Rejects when it cannot tell:
 * an unreachable store is never "unknown". A token that has not the syntax of one
 * ({@link ./token.ts}) is unknown and reaches no store. Answers synchronously when it can.
 */
export interface TokenResolver {
  resolve(token: string): CachedRead<UserId | undefined> | Promise<CachedRead<UserId | undefined>>;
}
