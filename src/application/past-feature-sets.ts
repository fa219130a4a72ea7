import { StoreDataInvalid } from "../domain/errors.ts";
import type { Instant } from "../domain/evaluation-context.ts";
import { isServedKey } from "../domain/feature.ts";
import type { FeatureSet, FeatureSets } from "../domain/feature-sets.ts";
import { type Held, readAt } from "../domain/held.ts";
import type { RecallSets } from "./recall-sets.ts";

/** The sets of a store as they were at one moment. Reads are true for that moment; they reject as `RecallSets` does. */
export class PastFeatureSets implements FeatureSets {
  readonly #recall: RecallSets;
  readonly #store: string;
  readonly #at: Instant;

  constructor(recall: RecallSets, store: string, at: Instant) {
    this.#recall = recall;
    this.#store = store;
    this.#at = at;
  }

  async read(key: string, limit: number): Promise<Held<FeatureSet>> {
    const members = await this.#recall.execute(this.#store, key, this.#at);
    if (members.length > limit) throw new StoreDataInvalid(`the set ${key} had more than ${limit} members`);
    const features = members.filter(isServedKey);
    return readAt({ features, skipped: members.length - features.length }, this.#at);
  }
}
