import { ChangeRefused } from "../domain/errors.ts";
import { type FeatureKey, inOrder, isWritableKey } from "../domain/feature.ts";
import type { SetChanged } from "../domain/feature-store.ts";
import { isPersonal, type StoredSet } from "../domain/stored-set.ts";
import type { Author } from "./author.ts";

/** The most features that one change may name. */
export const mostAtOnce = 10_000;

/** What somebody wants done to the set of a key. */
export type WantedChange = {
  readonly key: string;
  readonly add: readonly FeatureKey[];
  readonly remove: readonly FeatureKey[];
};

/** Reads and changes the sets behind the configured sources, by their keys. */
export class ChangeSet {
  readonly #stored: readonly StoredSet[];
  readonly #newId: () => string;

  constructor(stored: readonly StoredSet[], newId: () => string) {
    this.#stored = stored;
    this.#newId = newId;
  }

  /**
   * Adds features to a set and takes others out, whole or not at all, and answers what was really
   * changed. Rejects with `ChangeRefused` when no source reads the key, two connections have it and none is
   * named, a feature key cannot be written, or the set or the change would be too large.
   */
  async execute(change: WantedChange, author: Author, connection?: string): Promise<SetChanged> {
    const stored = this.#find(change.key, connection);
    const { changes, sets, limit } = stored;
    const add = [...new Set(change.add)];
    const remove = [...new Set(change.remove)];
    const bad = add.find((feature) => !isWritableKey(feature));
    if (bad !== undefined) {
      throw new ChangeRefused(
        `${JSON.stringify(bad)} cannot be a feature key; write 1 to 200 of A-Z a-z 0-9 . _ : / -, a letter or digit first.`,
      );
    }
    if (add.length + remove.length > mostAtOnce) {
      throw new ChangeRefused(`more than ${mostAtOnce} features in one change; split it.`);
    }
    if (add.length > 0) {
      const { features, skipped } = (await sets.read(change.key, limit)).value;
      if (skipped + new Set([...features, ...add]).size > limit) {
        throw new ChangeRefused(
          `${change.key} would have more than ${limit} members; raise maxMembers, or split the set.`,
        );
      }
    }
    return changes.apply({
      ...author,
      id: this.#newId(),
      key: change.key,
      personal: isPersonal(stored),
      add,
      remove,
      urgent: add.length === 0,
    });
  }

  /** The features in a set, sorted by code point. Rejects as `execute` does. */
  async list(key: string, connection?: string): Promise<readonly FeatureKey[]> {
    const { sets, limit } = this.#find(key, connection);
    const { value } = await sets.read(key, limit);
    return inOrder(value.features);
  }

  #find(key: string, connection: string | undefined): StoredSet {
    const matching = this.#stored.filter(
      (stored) => stored.key.matches(key) && (connection === undefined || stored.connection === connection),
    );
    const [found] = matching;
    if (!found) {
      const meant = this.#stored.map((stored) => stored.key.meant(key)).find((other) => other !== undefined);
      if (meant) throw new ChangeRefused(`no source reads a set ${JSON.stringify(key)}; write its key as ${meant}.`);
      const known = [...new Set(this.#stored.map((stored) => stored.key.text))].join(", ");
      throw new ChangeRefused(`no source reads a set ${JSON.stringify(key)}; the keys in use are: ${known || "none"}.`);
    }
    const connections = new Set(matching.map((stored) => stored.connection));
    if (connections.size > 1) {
      throw new ChangeRefused(`${[...connections].join(" and ")} both have a set "${key}"; say which connection.`);
    }
    return found;
  }
}
