import type { ChangeOptions } from "../../domain/admin/change.ts";
import { ChangeRejected } from "../../domain/errors.ts";
import type { Catalogue } from "../admin/catalogue.ts";
import type { ChangeSet } from "../admin/change-set.ts";
import type { ManageTokens } from "../admin/manage-tokens.ts";

/** The example of the README: three sets, the token `1234` of user `1`, and descriptions for the backoffice. */
export const demo = {
  token: "1234",
  userId: "1",
  sets: {
    global_features: ["feature_1", "feature_2"],
    active_features: ["feature_3"],
    "features:user:1": ["feature_3", "feature_4"],
  },
  descriptions: {
    feature_1: { description: "Start page with offers near the visitor", owner: "Web", tags: ["web"] },
    feature_2: { description: "Search that forgives typing errors", owner: "Search", tags: ["web", "mobile"] },
    feature_3: { description: "One-step payment with a stored card", owner: "Checkout", tags: ["beta"] },
    feature_4: { description: "Gift cards, not launched yet", owner: "Checkout", tags: ["beta", "q4"] },
  },
} as const;

/** Loads the example of the README. Rejects with `ChangeRejected` if a store is not empty, unless `anyway`. */
export const loadDemo =
  (isEmpty: () => Promise<boolean>, sets: ChangeSet, tokens: ManageTokens, catalogue: Catalogue) =>
  async (anyway: boolean, options: ChangeOptions): Promise<void> => {
    if (!anyway && !(await isEmpty())) {
      throw new ChangeRejected("the stores are not empty; add the example to their content with --yes.");
    }
    await tokens.assign(demo.token, demo.userId, options);
    for (const [key, features] of Object.entries(demo.sets)) {
      await sets.apply({ key, add: features, remove: [] }, options);
    }
    for (const [feature, description] of Object.entries(demo.descriptions)) {
      await catalogue.put(feature, { ...description, archived: false }, options);
    }
  };

export type LoadDemo = ReturnType<typeof loadDemo>;
