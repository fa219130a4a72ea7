import type { FeatureSets } from "../../domain/feature-sets.ts";
import type { KeyTemplate } from "../../domain/key-template.ts";
import type { UserLocator } from "../../domain/locator.ts";

/** The most places that a user is at. */
export const mostPlaces = 16;

/** Reads the stored places of users: one set a user. */
export const userLocator = (key: KeyTemplate, sets: FeatureSets): UserLocator => ({
  kind: "user",
  placesOf: (userId) => sets.read(key.keyOf({ userId }) ?? "", mostPlaces),
});
