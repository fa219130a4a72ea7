import type { Instant, UserId } from "../evaluation/evaluation-context.ts";
import type { Batch, BatchResult } from "./batch.ts";
import type { ChangeMeta } from "./change.ts";

/** A token as operators see it: everything but the token itself. */
export type TokenInfo = {
  readonly id: string;
  readonly userId: UserId;
  readonly issuedAt: Instant;
  /** The actor who issued it. */
  readonly by: string;
};

/** The new id of an assigned token, and its user before, if any. */
export type AssignedToken = { readonly tokenId: string; readonly before: UserId | undefined };

/** A token to import, and its user. The token may be given as its digest in the store's keys. */
export type TokenLoad = ({ readonly token: string } | { readonly digest: string }) & { readonly userId: UserId };

/**
 * Token store: maps client tokens to users. Expects tokens of valid syntax ({@link ../evaluation/token.ts}).
 *
 * A change and its record in the {@link ./outbox.ts} are one transaction. A token's id is that of the change that
 * issued it. A token that was issued outside Tidegate has the id of the record of its revocation. An idempotency key
 * applies to one token, or one id, as the call named it.
 */
export interface TokenStore {
  /** Assigns the token to the user. If it had another, the earlier issue counts as revoked. */
  assign(change: ChangeMeta & { readonly token: string; readonly userId: UserId }): Promise<AssignedToken>;
  /**
   * Assigns all tokens of a batch with one record each, then stores the position of the import. Loading a batch again
   * completes one that was interrupted. Skips a token that the user has already. Does nothing if the import is not at
   * the start of the batch.
   */
  load(batch: Batch<TokenLoad>): Promise<BatchResult>;
  /**
   * Revokes a token, named by itself or by its id and user. Returns its user; `undefined`, without a record, if the
   * token was unknown.
   */
  revoke(
    change: ChangeMeta & ({ readonly token: string } | { readonly tokenId: string; readonly userId: UserId }),
  ): Promise<UserId | undefined>;
  /**
   * The digest and user of each token, in pages; a token may come twice. Includes tokens that were written outside
   * Tidegate.
   */
  all(): AsyncIterable<readonly { readonly digest: string; readonly userId: UserId }[]>;
  /**
   * The store key of a token that Tidegate issued, by the token's id. It holds the token itself if the layout is
   * `plain`.
   */
  keyById(tokenId: string): Promise<string | undefined>;
  /** The tokens that Tidegate issued for a user, oldest first. Tokens written to the store by others are not listed. */
  list(userId: UserId): Promise<readonly TokenInfo[]>;
}
