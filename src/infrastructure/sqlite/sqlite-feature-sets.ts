import type { DatabaseSync, StatementSync } from "node:sqlite";
import { StoreDataInvalid } from "../../domain/errors.ts";
import { isServedKey } from "../../domain/feature.ts";
import type { FeatureSet, FeatureSets } from "../../domain/feature-sets.ts";
import { type Held, readAt } from "../../domain/held.ts";

/** Reads the sets of a SQLite database. */
export class SqliteFeatureSets implements FeatureSets {
  readonly #select: StatementSync;

  constructor(database: DatabaseSync) {
    this.#select = database.prepare("SELECT feature FROM members WHERE key = ? LIMIT ?");
  }

  async read(key: string, limit: number): Promise<Held<FeatureSet>> {
    const at = Date.now();
    const members = this.#select.all(key, limit + 1).map((row) => String(row["feature"]));
    if (members.length > limit) {
      throw new StoreDataInvalid(`the set ${key} has more than ${limit} members; raise maxMembers, or split it`);
    }
    const features = members.filter(isServedKey);
    return readAt({ features, skipped: members.length - features.length }, at);
  }
}
