import { ChangeRefused } from "../domain/errors.ts";
import type { UserId } from "../domain/evaluation-context.ts";
import { isToken, longestToken } from "../domain/token.ts";
import type { TokenStore } from "../domain/token-store.ts";
import type { Author } from "./author.ts";

/** Says which tokens speak for whom. */
export class ManageTokens {
  readonly #store: TokenStore | undefined;
  readonly #newId: () => string;

  constructor(store: TokenStore | undefined, newId: () => string) {
    this.#store = store;
    this.#newId = newId;
  }

  /** Lets a token speak for a user; answers whom it spoke for before. Rejects with `ChangeRefused` for either that cannot be one. */
  async assign(token: string, userId: UserId, author: Author): Promise<UserId | undefined> {
    if (userId === "" || userId.length > 200 || /[\p{Cc}\p{Cs}]/u.test(userId)) {
      throw new ChangeRefused("a user id has 1 to 200 printable characters; name another user.");
    }
    return this.#storeFor(token).assign({ ...author, id: this.#newId(), token, userId });
  }

  /** Makes a token unknown; answers whom it spoke for. Rejects with `ChangeRefused` for a text that cannot be a token. */
  async revoke(token: string, author: Author): Promise<UserId | undefined> {
    return this.#storeFor(token).revoke({ ...author, id: this.#newId(), token });
  }

  #storeFor(token: string): TokenStore {
    if (!this.#store) throw new ChangeRefused("the configuration has no tokens; add the section tokens.");
    if (!isToken(token)) {
      throw new ChangeRefused(
        `the token is no token; it has 1 to ${longestToken} of A-Z a-z 0-9 . _ ~ + / - and may end in =.`,
      );
    }
    return this.#store;
  }
}
