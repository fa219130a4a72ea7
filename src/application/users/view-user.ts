import type { ManagedSource } from "../../domain/admin/managed-source.ts";
import type { TokenInfo } from "../../domain/admin/token-store.ts";
import { ChangeRejected } from "../../domain/errors.ts";
import type { UserId } from "../../domain/evaluation/evaluation-context.ts";
import { type FeatureKey, inOrder } from "../../domain/evaluation/feature.ts";
import { isValue, valueRule } from "../../domain/evaluation/key-template.ts";
import type { ChangeSet, SetContent } from "../admin/change-set.ts";
import type { EditableSources } from "../admin/editable-sources.ts";
import type { ManageTokens } from "../admin/manage-tokens.ts";
import type { EvaluateFeatures } from "../evaluation/evaluate-features.ts";
import { explicitContext } from "../evaluation/identify-caller.ts";
import { hasUsers } from "../features/source-listing.ts";

/** A user, as operators see it. */
export type UserView = {
  /** The user's own sets, by source. */
  readonly sets: readonly (SetContent & { readonly source: string })[];
  /** The features that are on for the user now, sorted by code point, and the sources that were left out. */
  readonly effective: { readonly features: readonly FeatureKey[]; readonly missing: readonly string[] };
  readonly tokens: readonly TokenInfo[];
};

/**
 * Shows a user's sets, effective features and tokens.
 *
 * There is no list of users: an unknown user has no sets or tokens, and the features of everyone. Rejects with
 * `ChangeRejected` for an invalid id.
 */
export function viewUser(
  { sources }: EditableSources,
  changeSet: ChangeSet,
  evaluateFeatures: EvaluateFeatures,
  manageTokens: ManageTokens,
) {
  async function setOf(
    { name, editableSet: stored }: ManagedSource,
    context: Readonly<Record<string, string | undefined>>,
  ) {
    const needed = Object.fromEntries((stored?.key.fields ?? []).map((field) => [field, context[field]]));
    return { source: name, ...(await changeSet.read({ source: name, context: needed })) };
  }

  return async (userId: UserId, location: string | undefined): Promise<UserView> => {
    if (!isValue(userId)) throw new ChangeRejected(`Invalid user id (expected ${valueRule}).`);
    const context = { userId, location };
    const own = sources.filter(hasUsers);
    const named = own.filter(({ editableSet: stored }) =>
      stored?.key.fields.every((field) => context[field] !== undefined),
    );
    const [sets, evaluated, tokens] = await Promise.all([
      Promise.all(named.map((source) => setOf(source, context))),
      evaluateFeatures.evaluate({ userId }, explicitContext({ location })),
      manageTokens.list(userId),
    ]);
    return { sets, effective: { features: inOrder(evaluated.features.keys()), missing: evaluated.missing }, tokens };
  };
}

export type ViewUser = ReturnType<typeof viewUser>;
