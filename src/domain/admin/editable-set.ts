import type { FeatureSets } from "../evaluation/feature-sets.ts";
import type { KeyTemplate } from "../evaluation/key-template.ts";
import type { FeatureStore } from "./feature-store.ts";

/** A family of sets in one store, named by a key template: what a source reads and people change. */
export type EditableSet = {
  readonly key: KeyTemplate;
  /** The configured name of the connection. */
  readonly connection: string;
  /** The most members one set may have. */
  readonly limit: number;
  readonly sets: FeatureSets;
  readonly changes: FeatureStore;
};

/** Whether its sets belong to a user each, so that there may be millions of them. */
export const isPersonal = ({ key }: EditableSet): boolean => key.fields.includes("userId");
