import type { DatabaseSync, StatementSync } from "node:sqlite";
import { type Held, readAt } from "../../domain/held.ts";
import type { Settings, SettingsByFeature } from "../../domain/stored-settings.ts";
import { SettingsOfTexts } from "../settings-of-texts.ts";

/** Reads the documents of a SQLite database as settings. */
export class SqliteSettings implements Settings {
  readonly #select: StatementSync;
  readonly #texts = new SettingsOfTexts((text) => JSON.parse(text));

  constructor(database: DatabaseSync) {
    this.#select = database.prepare("SELECT name, value FROM documents WHERE collection = ? AND value IS NOT NULL");
  }

  async read(collection: string): Promise<Held<SettingsByFeature>> {
    const at = Date.now();
    const rows = this.#select.all(collection);
    const texts = new Map(rows.map(({ name, value }) => [String(name), String(value)]));
    return readAt(this.#texts.of(collection, texts), at);
  }
}
