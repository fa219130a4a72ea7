import type { FeatureSets } from "../evaluation/feature-sets.ts";
import type { KeyTemplate } from "../evaluation/key-template.ts";
import type { FeatureStore, SetAddress } from "./feature-store.ts";
import type { SetIndex } from "./set-index.ts";

/** Editable sets: the sets of one store that match a key template. A source reads them and operators change them. */
export type EditableSet = {
  readonly key: KeyTemplate;
  /** The configured name of the connection. */
  readonly connection: string;
  /** Maximum number of members of one set. */
  readonly limit: number;
  readonly sets: FeatureSets;
  readonly index: SetIndex;
  readonly changes: FeatureStore;
  /** Lists the keys, if some of the values have another format than a set. */
  readonly listed?: Pick<FeatureStore, "allKeys">;
};

/** Whether each set belongs to one user, so that there may be millions of them. */
export const isPersonal = ({ key }: EditableSet): boolean => key.fields.includes("userId");

/** The address of a set with a key; `undefined` if no template matches it. */
export function addressIn(editableSets: readonly EditableSet[], key: string): SetAddress | undefined {
  const stored = editableSets.find((each) => each.key.matches(key));
  return stored && { key, personal: isPersonal(stored) };
}
