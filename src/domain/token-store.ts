import type { UserId } from "./evaluation-context.ts";

/** Port: says which tokens speak for whom. Expects tokens that have the syntax of one. */
export interface TokenStore {
  /** Lets the token speak for the user. Answers whom it spoke for before, if anybody. */
  assign(token: string, userId: UserId): Promise<UserId | undefined>;
  /** Makes the token unknown. Answers whom it spoke for, if anybody. */
  revoke(token: string): Promise<UserId | undefined>;
}
