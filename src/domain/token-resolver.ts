import type { UserId } from "./evaluation-context.ts";
import type { Held } from "./held.ts";

/**
 * Port: who a token speaks for.
 *
 * Answers the user id, or `undefined` for a token nobody is known by. Rejects when it cannot tell:
 * an unreachable store is never "unknown". A token that has not the syntax of one
 * ({@link ./token.ts}) is unknown and reaches no store.
 */
export interface TokenResolver {
  resolve(token: string): Promise<Held<UserId | undefined>>;
}
