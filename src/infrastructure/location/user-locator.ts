import type { FeatureSets } from "../../domain/evaluation/feature-sets.ts";
import type { KeyTemplate } from "../../domain/evaluation/key-template.ts";
import type { UserLocator } from "../../domain/evaluation/locator.ts";

/** The most places that a user is at. */
export const mostPlaces = 16;

/** Reads the stored places of users: one set a user. */
export const userLocator = (key: KeyTemplate, sets: FeatureSets): UserLocator => ({
  kind: "user",
  placesOf: (userId) => sets.read(key.keyOf({ userId }) ?? "", mostPlaces),
});
