import type { DatabaseSync, StatementSync } from "node:sqlite";
import { StoreDataInvalid } from "../../../domain/errors.ts";
import { type CachedRead, uncachedRead } from "../../../domain/evaluation/cached-read.ts";
import { isServedKey } from "../../../domain/evaluation/feature.ts";
import type { FeatureSet, FeatureSets } from "../../../domain/evaluation/feature-sets.ts";

/** Reads the sets of a SQLite database. */
export class SqliteFeatureSets implements FeatureSets {
  readonly #select: StatementSync;

  constructor(database: DatabaseSync) {
    this.#select = database.prepare("SELECT feature FROM members WHERE key = ? LIMIT ?");
  }

  async read(key: string, limit: number): Promise<CachedRead<FeatureSet>> {
    const at = Date.now();
    const members = this.#select.all(key, limit + 1).map((row) => String(row["feature"]));
    if (members.length > limit) {
      throw new StoreDataInvalid(`the set ${key} has more than ${limit} members; raise maxMembers, or split it`);
    }
    const features = members.filter(isServedKey);
    return uncachedRead({ features, invalidMembers: members.length - features.length }, at);
  }
}
