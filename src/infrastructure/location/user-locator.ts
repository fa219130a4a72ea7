import type { FeatureSets } from "../../domain/evaluation/feature-sets.ts";
import type { KeyTemplate } from "../../domain/evaluation/key-template.ts";
import { type UserLocator, userLocatorKind } from "../../domain/evaluation/locator.ts";

/** Maximum number of places per user. */
export const maxLocations = 16;

/** User locator: reads the stored places of users, one set per user. */
export const userLocator = (key: KeyTemplate, sets: FeatureSets): UserLocator => ({
  kind: userLocatorKind,
  placesOf: (userId) => sets.read(key.keyOf({ userId }) ?? "", maxLocations),
});
