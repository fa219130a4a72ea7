import type { Instant, UserId } from "../evaluation/evaluation-context.ts";
import type { Batch, BatchResult } from "./batch.ts";
import type { ChangeMeta } from "./change.ts";

/** What may be told of a token: everything but the token. */
export type TokenInfo = {
  readonly id: string;
  readonly userId: UserId;
  readonly issuedAt: Instant;
  /** Who issued it. */
  readonly by: string;
};

/** Whom a token is to speak for. It may be named by what stands for it in its key. */
export type TokenLoad = ({ readonly token: string } | { readonly digest: string }) & { readonly userId: UserId };

/**
 * Port: says which tokens speak for whom. Expects tokens that have the syntax of one ({@link ../evaluation/token.ts}).
 *
 * A change and its record in the store's {@link ./outbox.ts} are one. A token's id is that of the change that issued it; of one that
 * others issued, that of the record of its end. What is said to be done once is so for one token, or one id, as it was named.
 */
export interface TokenStore {
  /** Lets the token speak for the user. Answers its id, and whom it spoke for before, if anybody; then the earlier issue counts as revoked. */
  assign(
    change: ChangeMeta & { readonly token: string; readonly userId: UserId },
  ): Promise<{ readonly tokenId: string; readonly before: UserId | undefined }>;
  /**
   * Lets all tokens of a batch speak for their users, or none where one cannot, with a record each, and remembers how far the load has
   * come. A token that speaks for its user already is left alone. Does nothing where the load is elsewhere than at the batch's beginning.
   */
  load(batch: Batch<TokenLoad>): Promise<BatchResult>;
  /** Makes a token unknown, named by itself or by its id and whom it speaks for. Answers whom it spoke for, if anybody; where nobody, nothing is recorded. */
  revoke(
    change: ChangeMeta & ({ readonly token: string } | { readonly tokenId: string; readonly userId: UserId }),
  ): Promise<UserId | undefined>;
  /** What stands for each token in its key, and whom it speaks for, in pages; one may come twice. Also of tokens that others wrote to the store. */
  all(): AsyncIterable<readonly { readonly digest: string; readonly userId: UserId }[]>;
  /** The key in the store of a token that was issued here, by the token's id. It holds the token itself where the layout is `plain`. */
  keyById(tokenId: string): Promise<string | undefined>;
  /** The tokens that were issued for a user here, oldest first. Ones that others wrote to the store are not among them. */
  list(userId: UserId): Promise<readonly TokenInfo[]>;
}
