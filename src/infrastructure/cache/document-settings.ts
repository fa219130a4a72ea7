import type { DocumentStore } from "../../domain/document-store.ts";
import type { Instant } from "../../domain/evaluation-context.ts";
import { type Held, readAt } from "../../domain/held.ts";
import type { Settings, SettingsByFeature } from "../../domain/stored-settings.ts";

/** Settings as the store has them, read anew each time. */
export class DocumentSettings implements Settings {
  readonly #documents: DocumentStore;
  readonly #now: () => Instant;

  constructor(documents: DocumentStore, now: () => Instant) {
    this.#documents = documents;
    this.#now = now;
  }

  async read(collection: string): Promise<Held<SettingsByFeature>> {
    const at = this.#now();
    const documents = await this.#documents.all(collection);
    return readAt(new Map([...documents].map(([feature, { value }]) => [feature, value])), at);
  }
}
