import type { BatchResult } from "../../domain/admin/batch.ts";
import type { Revision } from "../../domain/admin/change.ts";
import type { FeatureStore, SetChangeResult } from "../../domain/admin/feature-store.ts";
import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import type { FeatureKey } from "../../domain/evaluation/feature.ts";
import type { SetsAsOf } from "./sets-as-of.ts";

/** The list of a store's sets at one moment. Read-only. */
export class PastFeatureStore implements FeatureStore {
  readonly #recall: SetsAsOf;
  readonly #store: string;
  readonly #at: Instant;

  constructor(recall: SetsAsOf, store: string, at: Instant) {
    this.#recall = recall;
    this.#store = store;
    this.#at = at;
  }

  keys(prefix: string, most: number): Promise<{ readonly keys: readonly string[]; readonly complete: boolean }> {
    return this.#recall.keys(this.#store, prefix, most, this.#at);
  }

  /** Not known: counting would fold every set. */
  async holders(_prefix: string, features: readonly FeatureKey[]): Promise<readonly undefined[]> {
    return features.map(() => undefined);
  }

  apply(): Promise<SetChangeResult> {
    return refused();
  }

  load(): Promise<BatchResult> {
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
