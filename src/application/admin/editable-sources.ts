import type { EditableRules } from "../../domain/admin/editable-rules.ts";
import type { EditableSet } from "../../domain/admin/editable-set.ts";
import type { ManagedSource } from "../../domain/admin/managed-source.ts";
import { ChangeRejected, UnknownSource } from "../../domain/errors.ts";
import { isValue, type KeyValues, keyFields, valueRule } from "../../domain/evaluation/key-template.ts";

/** The name of one set: its source and the context that selects it, or its key. */
export type SetName =
  | { readonly source: string; readonly context?: KeyValues }
  | { readonly key: string; readonly connection?: string | undefined };

/** One set, with the sets of the same template. */
export type FoundSet = {
  readonly key: string;
  readonly set: EditableSet;
  /** Whether a source of role `grant` reads it. */
  readonly grants: boolean;
  /** Whether a source of role `veto` reads it. */
  readonly vetoes: boolean;
};

/** Sources with their sets and rules, as operators change them. */
export class EditableSources {
  readonly sources: readonly ManagedSource[];
  /** Sets that no source reads. */
  readonly additional: readonly EditableSet[];
  /** The sets that sources read, and the additional ones. */
  readonly sets: readonly EditableSet[];

  /** `additional` are sets that no source reads, such as the stored locations of users. They are found by key. */
  constructor(sources: readonly ManagedSource[], additional: readonly EditableSet[] = []) {
    this.sources = sources;
    this.additional = additional;
    this.sets = [...sources.flatMap(({ editableSet }) => editableSet ?? []), ...additional];
  }

  /**
   * Finds a set. Throws `UnknownSource`. Throws `ChangeRejected` for a source without sets, a context that does not
   * have exactly the fields of the source, a key that no source reads, and a key of two connections if none is given.
   */
  findSet(name: SetName): FoundSet {
    return "source" in name ? this.#ofSource(name.source, name.context ?? {}) : this.#ofKey(name.key, name.connection);
  }

  /** Whether a set has this key. */
  hasSet(key: string): boolean {
    return this.sets.some((set) => set.key.matches(key));
  }

  /** The sets that a source reads. Throws as `findSet` does. */
  setsOf(name: string): EditableSet {
    const source = this.#source(name);
    if (source.editableSet) return source.editableSet;
    throw new ChangeRejected(
      `Source "${name}" (kind ${source.kind}) has no sets that can be changed here. Change what it reads.`,
      "not-changeable",
    );
  }

  /**
   * The rules of a source, and whether they grant. Throws `UnknownSource`, and `ChangeRejected` for a source without
   * rules.
   */
  rulesOf(name: string): EditableRules & { readonly grants: boolean } {
    const source = this.#source(name);
    if (source.editableRules) return { ...source.editableRules, grants: source.role === "grant" };
    throw new ChangeRejected(
      `Source "${name}" (kind ${source.kind}) has no rules that can be changed here. Change what it reads.`,
      "not-changeable",
    );
  }

  #source(name: string): ManagedSource {
    const source = this.sources.find((each) => each.name === name);
    if (!source) throw new UnknownSource(`Unknown source. The sources are: ${this.#names()}.`);
    return source;
  }

  #ofSource(source: string, context: KeyValues): FoundSet {
    const set = this.setsOf(source);
    for (const field of keyFields) {
      const value = context[field];
      const isNeeded = set.key.fields.includes(field);
      if (isNeeded && value === undefined) {
        throw new ChangeRejected(`Missing ${field}: source "${source}" has one set per ${field}.`);
      }
      if (!isNeeded && value !== undefined) {
        throw new ChangeRejected(`Unexpected ${field}: the sets of source "${source}" do not depend on it. Omit it.`);
      }
      if (value !== undefined && !isValue(value)) {
        throw new ChangeRejected(`Invalid ${field} (expected ${valueRule}).`);
      }
    }
    return this.#found(set.key.keyOf(context) ?? "", set);
  }

  #ofKey(key: string, connection: string | undefined): FoundSet {
    const all = this.sets;
    const matching = all.filter(
      (set) => set.key.matches(key) && (connection === undefined || set.connection === connection),
    );
    const [set] = matching;
    if (!set) {
      const spelling = all.map((each) => each.key.spellingOf(key)).find((other) => other !== undefined);
      if (spelling)
        throw new ChangeRejected(`No source reads the set ${JSON.stringify(key)}. Write its key as ${spelling}.`);
      const known = [...new Set(all.map((each) => each.key.text))].join(", ");
      throw new ChangeRejected(
        `No source reads the set ${JSON.stringify(key)}. The keys in use are: ${known || "none"}.`,
      );
    }
    const other = matching.find((each) => each.connection !== set.connection);
    if (other) {
      const both = `${set.connection} and ${other.connection}`;
      throw new ChangeRejected(`The set "${key}" exists on ${both}. Name the connection.`);
    }
    return this.#found(key, set);
  }

  #found(key: string, set: EditableSet): FoundSet {
    const roles = this.sources.flatMap(({ role, editableSet: other }) =>
      other?.connection === set.connection && other.key.matches(key) ? [role] : [],
    );
    return { key, set, grants: roles.includes("grant"), vetoes: roles.includes("veto") };
  }

  #names(): string {
    return this.sources.map(({ name }) => name).join(", ");
  }
}
