import type { FeatureSets } from "../../domain/evaluation/feature-sets.ts";
import type { KeyTemplate } from "../../domain/evaluation/key-template.ts";
import { type UserLocator, userLocatorKind } from "../../domain/evaluation/locator.ts";

/** Maximum number of stored locations per user. */
export const maxLocations = 16;

/** User locator: reads the stored locations of users, one set per user of a connection. */
export function userLocator(
  key: KeyTemplate,
  connection: string,
  setsOf: (connection: string) => FeatureSets,
): UserLocator {
  const sets = setsOf(connection);
  return {
    kind: userLocatorKind,
    locationsOf: (userId) => sets.read(key.keyOf({ userId }) ?? "", maxLocations),
    over: (others) => userLocator(key, connection, others),
  };
}
