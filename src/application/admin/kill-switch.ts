import type { ManagedSource } from "../../domain/admin/managed-source.ts";
import { ChangeRejected } from "../../domain/errors.ts";
import type { FeatureKey } from "../../domain/evaluation/feature.ts";
import type { SourceChange } from "./change-set.ts";
import type { EditableSources } from "./editable-sources.ts";

const isFixedSet = ({ editableSet: stored }: ManagedSource): boolean =>
  stored !== undefined && stored.key.fields.length === 0;

/**
 * The name of the kill switch: the first veto over one fixed set. Features in this set are off for everyone. Throws
 * `ChangeRejected` if there is none.
 */
export function killSwitchOf({ sources }: EditableSources): string {
  const found = sources.find((source) => source.role === "veto" && isFixedSet(source));
  if (found) return found.name;
  throw new ChangeRejected(
    'No kill switch is configured. Add this source: { name: killed, kind: set, connection: <connection>, key: "tidegate:killed", role: veto }.',
    "no-kill-switch",
  );
}

/** The change that switches a feature off for everyone, regardless of grants. It works while the store is full. */
export const killChange = (sources: EditableSources, feature: FeatureKey): SourceChange => ({
  source: killSwitchOf(sources),
  add: [feature],
  remove: [],
});

/** The change that removes a kill. Exactly the grants from before are effective again. */
export const unkillChange = (sources: EditableSources, feature: FeatureKey): SourceChange => ({
  source: killSwitchOf(sources),
  add: [],
  remove: [feature],
});
