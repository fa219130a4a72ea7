import { ChangeRejected } from "../../domain/errors.ts";
import type { ChangeAuthor } from "../admin/author.ts";
import type { ChangeSet } from "../admin/change-set.ts";
import type { ManageTokens } from "../admin/manage-tokens.ts";

/** The example of the README: who may have what, and the token `1234` for user `1`. */
export const demo = {
  token: "1234",
  userId: "1",
  sets: {
    global_features: ["feature_1", "feature_2"],
    active_features: ["feature_3"],
    "features:user:1": ["feature_3", "feature_4"],
  },
} as const;

/** Fills empty stores with the example of the README. */
export class LoadDemo {
  readonly #isEmpty: () => Promise<boolean>;
  readonly #sets: ChangeSet;
  readonly #tokens: ManageTokens;

  constructor(isEmpty: () => Promise<boolean>, sets: ChangeSet, tokens: ManageTokens) {
    this.#isEmpty = isEmpty;
    this.#sets = sets;
    this.#tokens = tokens;
  }

  /** Adds the example. Rejects with `ChangeRefused` when a store holds something, unless `anyway`. */
  async load(anyway: boolean, author: ChangeAuthor): Promise<void> {
    if (!anyway && !(await this.#isEmpty())) {
      throw new ChangeRejected("the stores are not empty; the example is added to what is there with --yes.");
    }
    await this.#tokens.assign(demo.token, demo.userId, author);
    for (const [key, features] of Object.entries(demo.sets)) {
      await this.#sets.apply({ key, add: features, remove: [] }, author);
    }
  }
}
