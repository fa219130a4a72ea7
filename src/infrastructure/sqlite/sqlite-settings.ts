import type { DatabaseSync, StatementSync } from "node:sqlite";
import { type Held, readAt } from "../../domain/held.ts";
import type { Settings, SettingsByFeature } from "../../domain/stored-settings.ts";
import { SettingsOfTexts } from "../settings-of-texts.ts";

type Known = { readonly whole: unknown; readonly settings: SettingsByFeature };

/**
 * Reads the documents of a SQLite database as settings. It does so after each change of the file, whatever that was of; so it asks
 * for all of them as one text, which takes a fraction of the time, and takes that apart where it differs from the last.
 */
export class SqliteSettings implements Settings {
  readonly #whole: StatementSync;
  readonly #texts = new SettingsOfTexts((text) => JSON.parse(text));
  readonly #known = new Map<string, Known>();

  constructor(database: DatabaseSync) {
    // Neither the name of a feature nor JSON has control characters.
    this.#whole = database.prepare(
      "SELECT group_concat(name || char(31) || value, char(30)) AS whole FROM documents WHERE collection = ?",
    );
  }

  async read(collection: string): Promise<Held<SettingsByFeature>> {
    const at = Date.now();
    const whole = this.#whole.get(collection)?.["whole"] ?? "";
    const known = this.#known.get(collection);
    if (known?.whole === whole) return readAt(known.settings, at);
    const settings = this.#texts.of(collection, textsIn(String(whole)));
    this.#known.set(collection, { whole, settings });
    return readAt(settings, at);
  }
}

function textsIn(whole: string): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  for (const part of whole.split("\u001e")) {
    const end = part.indexOf("\u001f");
    if (end > 0) texts.set(part.slice(0, end), part.slice(end + 1));
  }
  return texts;
}
