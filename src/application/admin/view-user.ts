import { isPersonal } from "../../domain/admin/editable-set.ts";
import type { TokenInfo } from "../../domain/admin/token-store.ts";
import { ChangeRejected } from "../../domain/errors.ts";
import { isValue, type UserId } from "../../domain/evaluation/evaluation-context.ts";
import { type FeatureKey, inOrder } from "../../domain/evaluation/feature.ts";
import type { EvaluateFeatures } from "../evaluation/evaluate-features.ts";
import { explicitContext } from "../evaluation/identify-caller.ts";
import type { ChangeSet, SetContent } from "./change-set.ts";
import type { ManageTokens } from "./manage-tokens.ts";
import type { KnownSource, SourceSets } from "./source-sets.ts";

/** What is known of a user. */
export type UserView = {
  /** What the user has of their own, by source. */
  readonly sets: readonly (SetContent & { readonly source: string })[];
  /** What the user gets now: the features that are on, sorted by code point, and the sources that were left out. */
  readonly effective: { readonly features: readonly FeatureKey[]; readonly missing: readonly string[] };
  readonly tokens: readonly TokenInfo[];
};

/** Shows what a user has, gets, and presents. */
export class ViewUser {
  readonly #sets: SourceSets;
  readonly #changeSet: ChangeSet;
  readonly #resolveFeatures: EvaluateFeatures;
  readonly #tokens: ManageTokens;

  constructor(sets: SourceSets, changeSet: ChangeSet, resolveFeatures: EvaluateFeatures, tokens: ManageTokens) {
    this.#sets = sets;
    this.#changeSet = changeSet;
    this.#resolveFeatures = resolveFeatures;
    this.#tokens = tokens;
  }

  /** Nobody keeps a list of users: one whom nobody knows has nothing, and gets what everyone gets. Rejects with `ChangeRefused` for an id that cannot be one. */
  async view(userId: UserId, location: string | undefined): Promise<UserView> {
    if (!isValue(userId)) throw new ChangeRejected("A user id has 1 to 200 printable characters; name another user.");
    const context = { userId, location };
    const own = this.#sets.sources.filter(({ stored }) => stored && isPersonal(stored));
    const named = own.filter(({ stored }) => stored?.key.fields.every((field) => context[field] !== undefined));
    const [sets, gets, tokens] = await Promise.all([
      Promise.all(named.map((source) => this.#setOf(source, context))),
      this.#resolveFeatures.evaluate({ userId }, explicitContext({ location })),
      this.#tokens.list(userId),
    ]);
    return { sets, effective: { features: inOrder(gets.features.keys()), missing: gets.missing }, tokens };
  }

  async #setOf({ name, stored }: KnownSource, context: Readonly<Record<string, string | undefined>>) {
    const needed = Object.fromEntries((stored?.key.fields ?? []).map((field) => [field, context[field]]));
    return { source: name, ...(await this.#changeSet.read({ source: name, context: needed })) };
  }
}
