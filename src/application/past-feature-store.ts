import type { Revision } from "../domain/change.ts";
import type { Instant } from "../domain/evaluation-context.ts";
import type { FeatureKey } from "../domain/feature.ts";
import type { FeatureStore, SetChanged } from "../domain/feature-store.ts";
import type { Loaded } from "../domain/load.ts";
import type { RecallSets } from "./recall-sets.ts";

/** The sets of a store at one moment, beside what they hold: which there were. Nothing of them can be changed. */
export class PastFeatureStore implements FeatureStore {
  readonly #recall: RecallSets;
  readonly #store: string;
  readonly #at: Instant;

  constructor(recall: RecallSets, store: string, at: Instant) {
    this.#recall = recall;
    this.#store = store;
    this.#at = at;
  }

  keys(prefix: string, most: number): Promise<{ readonly keys: readonly string[]; readonly complete: boolean }> {
    return this.#recall.keys(this.#store, prefix, most, this.#at);
  }

  /** It is not known: to find out would be to fold every set. */
  async holders(_prefix: string, features: readonly FeatureKey[]): Promise<readonly undefined[]> {
    return features.map(() => undefined);
  }

  apply(): Promise<SetChanged> {
    return refused();
  }

  load(): Promise<Loaded> {
    return refused();
  }

  allKeys(): never {
    throw fault();
  }

  reconcile(): Promise<boolean> {
    return refused();
  }

  rebase(): Promise<void> {
    return refused();
  }

  revisions(): Promise<readonly (Revision | undefined)[]> {
    return refused();
  }
}

const fault = (): Error => new Error("the past can be neither changed, nor recorded anew, nor exported");

const refused = (): Promise<never> => Promise.reject(fault());
