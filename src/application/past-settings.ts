import type { Instant } from "../domain/evaluation-context.ts";
import { type Held, readAt } from "../domain/held.ts";
import type { Settings, SettingsByFeature } from "../domain/stored-settings.ts";
import type { RecallSettings } from "./recall-settings.ts";

/** The settings of a store as they were at one moment. Reads are true for that moment; they reject as `RecallSettings` does. */
export class PastSettings implements Settings {
  readonly #recall: RecallSettings;
  readonly #store: string;
  readonly #at: Instant;
  readonly #reads = new Map<string, Promise<Held<SettingsByFeature>>>();

  constructor(recall: RecallSettings, store: string, at: Instant) {
    this.#recall = recall;
    this.#store = store;
    this.#at = at;
  }

  read(collection: string): Promise<Held<SettingsByFeature>> {
    const read = this.#reads.get(collection) ?? this.#read(collection);
    this.#reads.set(collection, read);
    return read;
  }

  async #read(collection: string): Promise<Held<SettingsByFeature>> {
    const records = [...(await this.#recall.execute(this.#store, collection, this.#at)).values()];
    const present = records.filter(({ value }) => value !== null);
    return readAt(new Map(present.map(({ name, value }) => [name, value])), this.#at);
  }
}
