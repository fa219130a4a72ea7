import { StoreDataInvalid } from "../../domain/errors.ts";
import { type CachedRead, uncachedRead } from "../../domain/evaluation/cached-read.ts";
import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import { isServedKey } from "../../domain/evaluation/feature.ts";
import type { FeatureSet, FeatureSets } from "../../domain/evaluation/feature-sets.ts";
import type { SetsAsOf } from "./sets-as-of.ts";

/** The sets of a store at one moment. Reads are verified for that moment, and reject as `SetsAsOf` does. */
export class PastFeatureSets implements FeatureSets {
  readonly #recall: SetsAsOf;
  readonly #store: string;
  readonly #at: Instant;

  constructor(recall: SetsAsOf, store: string, at: Instant) {
    this.#recall = recall;
    this.#store = store;
    this.#at = at;
  }

  async read(key: string, limit: number): Promise<CachedRead<FeatureSet>> {
    const members = await this.#recall.read(this.#store, key, this.#at);
    if (members.length > limit) throw new StoreDataInvalid(`the set ${key} had more than ${limit} members`);
    const features = members.filter(isServedKey);
    return uncachedRead({ features, skipped: members.length - features.length }, this.#at);
  }
}
