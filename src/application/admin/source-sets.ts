import type { EditableRules } from "../../domain/admin/editable-rules.ts";
import type { EditableSet } from "../../domain/admin/editable-set.ts";
import { ChangeRejected, UnknownSource } from "../../domain/errors.ts";
import { isValue, keyFields } from "../../domain/evaluation/evaluation-context.ts";
import type { Json } from "../../domain/evaluation/feature.ts";
import type { KeyValues } from "../../domain/evaluation/key-template.ts";
import type { Source } from "../../domain/evaluation/source.ts";

/** A fault of a value: where in it, as a JSON pointer (RFC 6901), and what to do. */
type SettingFault = { readonly pointer: string; readonly detail: string };

/** What a kind makes of what somebody writes down for a feature: what is to be kept of it, or what is wrong with it. */
export type RuleCheck = (value: Json) => { readonly setting: Json } | { readonly faults: readonly SettingFault[] };

/** What a source keeps of single features, and which settings it takes. */
export type CheckedRules = EditableRules & { readonly check: RuleCheck };

/** A source as people see it who change what is on. */
export type KnownSource = Source & {
  readonly kind: string;
  /** The sets it reads, where it reads sets: as the store has them, past all that is remembered. */
  readonly stored: EditableSet | undefined;
  /** What it keeps of single features, where that can be changed. */
  readonly settings?: CheckedRules | undefined;
};

/** How somebody names one set: by the source that reads it and for whom, or by its key. */
export type SetName =
  | { readonly source: string; readonly context?: KeyValues }
  | { readonly key: string; readonly connection?: string | undefined };

/** One set, and the family that it belongs to. `grants`: a source of role `grant` reads it, so its members are on. */
export type FoundSet = { readonly key: string; readonly stored: EditableSet; readonly grants: boolean };

/** The sets behind the sources. */
export class SourceSets {
  readonly sources: readonly KnownSource[];
  /** Sets that no source reads. */
  readonly others: readonly EditableSet[];
  readonly #stored: readonly EditableSet[];

  /** `others` are sets that no source reads, as those of users' places. They are found by their keys. */
  constructor(sources: readonly KnownSource[], others: readonly EditableSet[] = []) {
    this.sources = sources;
    this.others = others;
    this.#stored = [...sources.flatMap(({ stored }) => stored ?? []), ...others];
  }

  /**
   * The set that somebody names. Throws `UnknownSource`, and `ChangeRefused` for a source that reads no sets, a context that
   * is not just what the source needs, a key that no source reads, and one that two connections have while none is named.
   */
  find(name: SetName): FoundSet {
    return "source" in name ? this.#ofSource(name.source, name.context ?? {}) : this.#ofKey(name.key, name.connection);
  }

  /** The sets that a source reads. Throws as `find` does. */
  of(name: string): EditableSet {
    const source = this.#source(name);
    if (source.stored) return source.stored;
    throw new ChangeRejected(
      `The source "${name}" (${source.kind}) reads no sets, so nothing of it can be changed here; change what it reads.`,
      "not-changeable",
    );
  }

  /**
   * What a source keeps of single features, and whether that grants them. Throws `UnknownSource`, and `ChangeRefused` for one that
   * keeps nothing.
   */
  settingsOf(name: string): CheckedRules & { readonly grants: boolean } {
    const source = this.#source(name);
    if (source.settings) return { ...source.settings, grants: source.role === "grant" };
    throw new ChangeRejected(
      `The source "${name}" (${source.kind}) keeps nothing of single features that could be changed here; change what it reads.`,
      "not-changeable",
    );
  }

  #source(name: string): KnownSource {
    const source = this.sources.find((each) => each.name === name);
    if (!source) throw new UnknownSource(`There is no such source; the sources are: ${this.#names()}.`);
    return source;
  }

  #ofSource(source: string, context: KeyValues): FoundSet {
    const stored = this.of(source);
    for (const field of keyFields) {
      const value = context[field];
      const isNeeded = stored.key.fields.includes(field);
      if (isNeeded && value === undefined) {
        throw new ChangeRejected(`The source "${source}" has a set for each ${field}; say for which.`);
      }
      if (!isNeeded && value !== undefined) {
        throw new ChangeRejected(`The sets of the source "${source}" are not for a ${field} each; leave that out.`);
      }
      if (value !== undefined && !isValue(value)) {
        throw new ChangeRejected(
          `No ${field} is like this; it has 1 to 200 characters, none of them a control character.`,
        );
      }
    }
    return this.#found(stored.key.keyOf(context) ?? "", stored);
  }

  #ofKey(key: string, connection: string | undefined): FoundSet {
    const all = this.#stored;
    const matching = all.filter(
      (stored) => stored.key.matches(key) && (connection === undefined || stored.connection === connection),
    );
    const [stored] = matching;
    if (!stored) {
      const meant = all.map((each) => each.key.meant(key)).find((other) => other !== undefined);
      if (meant) throw new ChangeRejected(`no source reads a set ${JSON.stringify(key)}; write its key as ${meant}.`);
      const known = [...new Set(all.map((each) => each.key.text))].join(", ");
      throw new ChangeRejected(
        `no source reads a set ${JSON.stringify(key)}; the keys in use are: ${known || "none"}.`,
      );
    }
    const other = matching.find((each) => each.connection !== stored.connection);
    if (other) {
      const both = `${stored.connection} and ${other.connection}`;
      throw new ChangeRejected(`${both} both have a set "${key}"; say which connection.`);
    }
    return this.#found(key, stored);
  }

  #found(key: string, stored: EditableSet): FoundSet {
    const grants = this.sources.some(
      ({ role, stored: other }) =>
        role === "grant" && other?.connection === stored.connection && other.key.matches(key),
    );
    return { key, stored, grants };
  }

  #names(): string {
    return this.sources.map(({ name }) => name).join(", ");
  }
}
