import { ChangeRejected } from "../../domain/errors.ts";
import type { ChangeAuthor } from "../admin/author.ts";
import type { ChangeSet } from "../admin/change-set.ts";
import type { ManageTokens } from "../admin/manage-tokens.ts";

/** The example of the README: three sets, and the token `1234` of user `1`. */
export const demo = {
  token: "1234",
  userId: "1",
  sets: {
    global_features: ["feature_1", "feature_2"],
    active_features: ["feature_3"],
    "features:user:1": ["feature_3", "feature_4"],
  },
} as const;

/** Loads the example of the README into empty stores. */
export class LoadDemo {
  readonly #isEmpty: () => Promise<boolean>;
  readonly #sets: ChangeSet;
  readonly #tokens: ManageTokens;

  constructor(isEmpty: () => Promise<boolean>, sets: ChangeSet, tokens: ManageTokens) {
    this.#isEmpty = isEmpty;
    this.#sets = sets;
    this.#tokens = tokens;
  }

  /** Adds the example. Rejects with `ChangeRejected` if a store is not empty, unless `anyway`. */
  async load(anyway: boolean, author: ChangeAuthor): Promise<void> {
    if (!anyway && !(await this.#isEmpty())) {
      throw new ChangeRejected("the stores are not empty; add the example to their content with --yes.");
    }
    await this.#tokens.assign(demo.token, demo.userId, author);
    for (const [key, features] of Object.entries(demo.sets)) {
      await this.#sets.apply({ key, add: features, remove: [] }, author);
    }
  }
}
