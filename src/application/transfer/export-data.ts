import type { EditableRules } from "../../domain/admin/editable-rules.ts";
import type { EditableSet } from "../../domain/admin/editable-set.ts";
import type { TokenStore } from "../../domain/admin/token-store.ts";
import { inOrder } from "../../domain/evaluation/feature.ts";
import type { FeatureSet } from "../../domain/evaluation/feature-sets.ts";
import { callStore } from "../admin/call-store.ts";
import type { Catalogue } from "../admin/catalogue.ts";
import type { EditableSources } from "../admin/editable-sources.ts";
import {
  type CatalogueLine,
  type DataLine,
  isTokenDigest,
  type RuleLine,
  type SetLine,
  type TokenLine,
  type TokensOfData,
} from "./data-line.ts";

/** Content of a page of an export: sets or rules of a source, descriptions, or tokens. */
export type Exported = "sets" | "rules" | "descriptions" | "tokens";

/** Some lines, and the number of invalid set members and token keys that were left out. */
export type ExportedPage = {
  readonly lines: readonly DataLine[];
  readonly skipped: number;
  /** Content of the lines. Omitted for the header. */
  readonly of?: Exported;
  /** The source of sets and rules. */
  readonly source?: string;
};

/** Sets of a store that no source reads: some of their keys, and their number. */
export type UnreadSets = { readonly connection: string; readonly keys: readonly string[]; readonly count: number };

/** Maximum number of keys that are named for a store. */
const maxNamed = 5;

/**
 * Exports the content of the stores: sets, descriptions, rules and hashed tokens. Tokens stored as plain text are never
 * exported.
 */
export class ExportData {
  readonly #sources: EditableSources;
  readonly #tokens: TokensOfData | undefined;
  readonly #catalogue: Pick<Catalogue, "all">;
  readonly #isOwnKey: (key: string) => boolean;

  /** `isOwnKey` matches the keys that Tidegate reserves for itself. */
  constructor(
    sources: EditableSources,
    tokens: TokensOfData | undefined,
    catalogue: Pick<Catalogue, "all">,
    isOwnKey: (key: string) => boolean,
  ) {
    this.#sources = sources;
    this.#tokens = tokens;
    this.#catalogue = catalogue;
    this.#isOwnKey = isOwnKey;
  }

  /** Whether there are tokens, and whether they are exported. */
  get tokens(): "exported" | "omitted" | "none" {
    if (!this.#tokens) return "none";
    return this.#tokens.pepper === undefined ? "omitted" : "exported";
  }

  /**
   * Each set is consistent in itself, but sets may be of different times; one may come twice. Reads a page when the
   * previous one was consumed. Rejects if a store does not respond, and if a set has too many members.
   */
  async *export(): AsyncGenerator<ExportedPage> {
    const pepper = this.#tokens?.pepper;
    yield pageOf([{ tidegate: 1, ...(pepper !== undefined && { pepper }) }]);
    for (const stored of this.#allSets()) yield* this.#setsOf(stored);
    const entries = [...(await this.#catalogue.all())];
    yield {
      ...pageOf(entries.map(([catalogue, entry]): CatalogueLine => ({ catalogue, ...entry }))),
      of: "descriptions",
    };
    for (const rules of this.#allRules()) yield await this.#rulesOf(rules);
    if (this.#tokens && pepper !== undefined) yield* tokensIn(this.#tokens.store);
  }

  /** Sets of the stores that no source reads; an export does not hold them. Rejects if a store does not respond. */
  async unread(): Promise<readonly UnreadSets[]> {
    const all = this.#allSets();
    const isRead = (key: string) => all.some((stored) => stored.key.matches(key));
    const stores = new Map(all.map(({ connection, changes }) => [connection, changes]));
    const found = await Promise.all(
      [...stores].map(async ([connection, changes]): Promise<UnreadSets> => {
        const unread = new Set<string>();
        for await (const page of changes.allKeys("")) {
          for (const key of page) if (!isRead(key) && !this.#isOwnKey(key)) unread.add(key);
        }
        return { connection, keys: inOrder(unread).slice(0, maxNamed), count: unread.size };
      }),
    );
    return found.filter(({ count }) => count > 0);
  }

  /** Without duplicates: two sources may read the same sets. */
  #allSets(): readonly SourceSet[] {
    const { sources, additional } = this.#sources;
    const read = sources.flatMap(({ name, editableSet }) => (editableSet ? [{ ...editableSet, source: name }] : []));
    const others = additional.map((stored) => ({ ...stored, source: "stored locations of users" }));
    return distinct([...read, ...others], ({ connection, key }) => `${connection}\n${key.text}`);
  }

  /** Without duplicates: two sources may share their rules. */
  #allRules(): readonly SourceRules[] {
    const all = this.#sources.sources.flatMap(({ name, editableRules }) =>
      editableRules ? [{ ...editableRules, source: name }] : [],
    );
    return distinct(all, ({ connection, collection }) => `${connection}\n${collection}`);
  }

  async #rulesOf({ source, documents, collection }: SourceRules): Promise<ExportedPage> {
    const all = await callStore(source, () => documents.all(collection));
    const lines = [...all].map(([feature, { value }]): RuleLine => ({ rule: value, source, feature }));
    return { ...pageOf(lines), of: "rules", source };
  }

  async *#setsOf(stored: SourceSet): AsyncGenerator<ExportedPage> {
    const { key, connection, changes, listed = changes } = stored;
    const isAmbiguous = this.#allSets().some((other) => other.connection !== connection && other.key.overlaps(key));
    const pages = key.fields.length === 0 ? [[key.text]] : listed.allKeys(key.prefix);
    for await (const page of pages) {
      const keys = page.filter((each) => key.matches(each));
      const read = await Promise.all(keys.map((each) => callStore(connection, async () => setIn(stored, each))));
      const lines = read.flatMap(({ features }, index): readonly SetLine[] => {
        const set = keys[index] ?? "";
        return features.length > 0 ? [{ set, ...(isAmbiguous && { connection }), features: inOrder(features) }] : [];
      });
      const skipped = read.reduce((sum, each) => sum + each.invalidMembers, 0);
      yield { lines, skipped, of: "sets", source: stored.source };
    }
  }
}

/** The sets of a template, and the first source that reads them. */
type SourceSet = EditableSet & { readonly source: string };
/** Rules, and the first source that reads them. */
type SourceRules = EditableRules & { readonly source: string };

/** The first of those with the same name. */
const distinct = <T>(all: readonly T[], nameOf: (each: T) => string): readonly T[] =>
  [...Map.groupBy(all, nameOf).values()].flatMap(([first]) => first ?? []);

const pageOf = (lines: readonly DataLine[]): ExportedPage => ({ lines, skipped: 0 });

const setIn = async ({ sets, limit }: EditableSet, key: string): Promise<FeatureSet> =>
  (await sets.read(key, limit)).value;

async function* tokensIn(store: TokenStore): AsyncGenerator<ExportedPage> {
  for await (const page of store.all()) {
    const digests = page.filter(({ digest }) => isTokenDigest(digest));
    yield {
      lines: digests.map(({ digest: tokenDigest, userId: user }): TokenLine => ({ tokenDigest, user })),
      skipped: page.length - digests.length,
      of: "tokens",
    };
  }
}
