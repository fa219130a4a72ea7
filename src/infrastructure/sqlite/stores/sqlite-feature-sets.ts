import type { DatabaseSync } from "node:sqlite";
import { StoreDataInvalid } from "../../../domain/errors.ts";
import { uncachedRead } from "../../../domain/evaluation/cached-read.ts";
import { isServedKey } from "../../../domain/evaluation/feature.ts";
import type { FeatureSets } from "../../../domain/evaluation/feature-sets.ts";

/** Reads the sets of a SQLite database. */
export function sqliteFeatureSets(database: DatabaseSync): FeatureSets {
  const select = database.prepare("SELECT feature FROM members WHERE key = ? LIMIT ?");

  return {
    async read(key, limit) {
      const at = Date.now();
      const members = select.all(key, limit + 1).map((row) => String(row["feature"]));
      if (members.length > limit) {
        throw new StoreDataInvalid(`the set ${key} has more than ${limit} members; raise maxMembers, or split it`);
      }
      const features = members.filter(isServedKey);
      return uncachedRead({ features, invalidMembers: members.length - features.length }, at);
    },
  };
}
