import type { ChangeOptions } from "../../domain/admin/change.ts";
import type { AssignedToken, TokenInfo, TokenStore } from "../../domain/admin/token-store.ts";
import { ChangeRejected, noTokens } from "../../domain/errors.ts";
import type { UserId } from "../../domain/evaluation/evaluation-context.ts";
import { isValue, valueRule } from "../../domain/evaluation/key-template.ts";
import { isToken, tokenGrammar } from "../../domain/evaluation/token.ts";
import { tokensSource } from "../evaluation/identify-caller.ts";
import { callStore } from "./call-store.ts";
import type { OnChange } from "./on-change.ts";

/** A token, given as itself or as its key in the store. */
type ChangedToken = { readonly token: string } | { readonly key: string };

/** Assigns and revokes client tokens. */
export class ManageTokens {
  readonly #store: TokenStore | undefined;
  readonly #newId: () => string;
  readonly #changed: OnChange<ChangedToken>;

  /** `changed` is called with each changed token before the change is acknowledged. */
  constructor(store: TokenStore | undefined, newId: () => string, changed: OnChange<ChangedToken> = () => {}) {
    this.#store = store;
    this.#newId = newId;
    this.#changed = changed;
  }

  /**
   * Assigns a token to a user. Returns its new id, and the user before. Rejects with `ChangeRejected` for an invalid
   * token or user id.
   */
  async assign(token: string, userId: UserId, options: ChangeOptions): Promise<AssignedToken> {
    const store = this.#storeFor(token);
    const change = { ...options, id: this.#newId(), token, userId: checked(userId) };
    return callStore(tokensSource, () => store.assign(change)).finally(() => this.#changed({ token }));
  }

  /** Revokes a token. Returns its user. Rejects with `ChangeRejected` for an invalid token. */
  async revoke(token: string, options: ChangeOptions): Promise<UserId | undefined> {
    const store = this.#storeFor(token);
    const change = { ...options, id: this.#newId(), token };
    return callStore(tokensSource, () => store.revoke(change)).finally(() => this.#changed({ token }));
  }

  /** Revokes a token of a user by its id. Returns whether the user had it. */
  async revokeById(tokenId: string, userId: UserId, options: ChangeOptions): Promise<boolean> {
    const store = this.#needed();
    const change = { ...options, id: this.#newId(), tokenId, userId: checked(userId) };
    return callStore(tokensSource, async () => {
      const key = await store.keyById(tokenId);
      const revoked = store.revoke(change);
      return (await (key === undefined ? revoked : revoked.finally(() => this.#changed({ key })))) !== undefined;
    });
  }

  /** The tokens that Tidegate issued for a user, oldest first; none if the configuration has no tokens. */
  async list(userId: UserId): Promise<readonly TokenInfo[]> {
    const id = checked(userId);
    return (await callStore(tokensSource, async () => this.#store?.list(id))) ?? [];
  }

  #storeFor(token: string): TokenStore {
    const store = this.#needed();
    if (isToken(token)) return store;
    throw new ChangeRejected(`Invalid token (expected ${tokenGrammar}).`);
  }

  #needed(): TokenStore {
    if (this.#store) return this.#store;
    throw noTokens();
  }
}

function checked(userId: UserId): UserId {
  if (isValue(userId)) return userId;
  throw new ChangeRejected(`Invalid user id (expected ${valueRule}).`);
}
