import type { Rules, RulesByFeature } from "../../domain/admin/editable-rules.ts";
import { type CachedRead, uncachedRead } from "../../domain/evaluation/cached-read.ts";
import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import type { RulesAsOf } from "./rules-as-of.ts";

/** The rules of a store at one moment. Reads are verified for that moment, and reject as `RulesAsOf` does. */
export class PastRules implements Rules {
  readonly #recall: RulesAsOf;
  readonly #store: string;
  readonly #at: Instant;
  readonly #reads = new Map<string, Promise<CachedRead<RulesByFeature>>>();

  constructor(recall: RulesAsOf, store: string, at: Instant) {
    this.#recall = recall;
    this.#store = store;
    this.#at = at;
  }

  read(collection: string): Promise<CachedRead<RulesByFeature>> {
    const read = this.#reads.get(collection) ?? this.#read(collection);
    this.#reads.set(collection, read);
    return read;
  }

  async #read(collection: string): Promise<CachedRead<RulesByFeature>> {
    const records = [...(await this.#recall.read(this.#store, collection, this.#at)).values()];
    const present = records.filter(({ value }) => value !== null);
    return uncachedRead(new Map(present.map(({ name, value }) => [name, value])), this.#at);
  }
}
