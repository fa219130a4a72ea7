import type { DocumentLoad, DocumentStore } from "../../domain/admin/document-store.ts";
import type { EditableRules } from "../../domain/admin/editable-rules.ts";
import { type EditableSet, isPersonal } from "../../domain/admin/editable-set.ts";
import type { SetLoad } from "../../domain/admin/feature-store.ts";
import type { TokenLoad, TokenStore } from "../../domain/admin/token-store.ts";
import { ChangeRejected, notServed, tooManyMembers, UnknownSource } from "../../domain/errors.ts";
import { type Instant, isValue } from "../../domain/evaluation/evaluation-context.ts";
import { isServedKey } from "../../domain/evaluation/feature.ts";
import { isToken, tokenGrammar } from "../../domain/evaluation/token.ts";
import type { ChangeAuthor } from "../admin/author.ts";
import type { Catalogue } from "../admin/catalogue.ts";
import { checkedRule } from "../admin/manage-rules.ts";
import type { SourceSets } from "../admin/source-sets.ts";
import {
  type CatalogueLine,
  type DataHeader,
  type DataLine,
  isTokenDigest,
  type RuleLine,
  type SetLine,
  type TokenLine,
  type TokensOfData,
} from "./data-line.ts";
import { ImportLanes } from "./import-lanes.ts";

/** A line and its number, from 1 on; or what is wrong with it, where it is none. */
export type ReadLine = { readonly number: number } & ({ readonly line: DataLine } | { readonly fault: string });

/** What is to be imported; the same however often it is read. */
export type Importable = {
  /** What people know it by. */
  readonly name: string;
  /** The same for the same content, and for no other. */
  readonly digest: string;
  /** All lines, some at a time. */
  read(): AsyncIterable<readonly ReadLine[]>;
};

/** How far an import is: which line it has read, of how many where that is known. */
export type ImportProgress = { readonly doing: "checking" | "importing"; readonly line: number; readonly of?: number };

/** What an import came to. */
export type Imported = {
  readonly sets: number;
  readonly tokens: number;
  readonly entries: number;
  readonly settings: number;
  /** How many records it made, which wait for the activity log. */
  readonly records: number;
  /** How many of all these things were imported before, and left alone. */
  readonly skipped: number;
};

const mostFaults = 20;

/** What a line is to put where. */
type Deed =
  | { readonly of: "sets"; readonly stored: EditableSet; readonly item: SetLoad }
  | { readonly of: "tokens"; readonly store: TokenStore; readonly item: TokenLoad }
  | { readonly of: "entries"; readonly store: DocumentStore; readonly item: CatalogueLine }
  | { readonly of: "settings"; readonly kept: EditableRules; readonly item: DocumentLoad };

/** Puts into the stores what a file, or something like it, says; all of it is checked before anything is changed. */
export class ImportData {
  readonly #sets: SourceSets;
  readonly #tokens: TokensOfData | undefined;
  readonly #documents: DocumentStore | undefined;
  readonly #catalogue: Pick<Catalogue, "all">;
  readonly #now: () => Instant;

  constructor(
    sets: SourceSets,
    tokens: TokensOfData | undefined,
    documents: DocumentStore | undefined,
    catalogue: Pick<Catalogue, "all">,
    now: () => Instant,
  ) {
    this.#sets = sets;
    this.#tokens = tokens;
    this.#documents = documents;
    this.#catalogue = catalogue;
    this.#now = now;
  }

  /**
   * Adds to sets what the lines say, lets tokens speak for users, describes features, and has sources keep settings: in the order of the lines, each once,
   * however often it is begun; `again` begins it anew. Rejects with `ChangeRefused`, and has changed nothing, where a line is wrong.
   */
  async import(
    from: Importable,
    author: Pick<ChangeAuthor, "by" | "email">,
    {
      again = false,
      told = () => {},
    }: { readonly again?: boolean; readonly told?: (progress: ImportProgress) => void },
  ): Promise<Imported> {
    const lines = await this.#check(from, told);
    const load = again ? `${from.digest}.${this.#now()}` : from.digest;
    const lanes = new ImportLanes(
      { ...author, note: `import of ${from.name}` },
      load,
      await this.#catalogue.all(),
      this.#now(),
    );
    const counts = { sets: 0, tokens: 0, entries: 0, settings: 0 };
    for await (const page of from.read()) {
      for (const read of page) {
        const deed = "line" in read && this.#deedOf(read.line);
        if (!deed) continue;
        counts[deed.of] += 1;
        const wait = put(deed, lanes, read.number);
        if (wait) await wait;
      }
      told({ doing: "importing", line: page.at(-1)?.number ?? lines, of: lines });
    }
    return { ...counts, ...(await lanes.end()) };
  }

  /** Answers how many lines there are. */
  async #check(from: Importable, told: (progress: ImportProgress) => void): Promise<number> {
    const faults: string[] = [];
    let last = 0;
    for await (const page of from.read()) {
      for (const read of page) {
        const fault = last === 0 && !isHeader(read) ? noHeader : this.#faultOf(read);
        if (fault !== undefined) faults.push(`line ${read.number}: ${fault}`);
        if (last === 0 && fault === noHeader) throw refused(from, faults);
        if (faults.length === mostFaults) throw refused(from, [...faults, "there may be more"]);
        last = read.number;
      }
      told({ doing: "checking", line: last });
    }
    if (last === 0) faults.push(noHeader);
    if (faults.length > 0) throw refused(from, faults);
    return last;
  }

  #faultOf(read: ReadLine): string | undefined {
    if ("fault" in read) return read.fault;
    try {
      if ("set" in read.line) checkFeatures(read.line);
      this.#deedOf(read.line);
      return undefined;
    } catch (error) {
      if (error instanceof ChangeRejected || error instanceof UnknownSource) return error.message;
      throw error;
    }
  }

  /** Throws `ChangeRefused` where a line asks for what cannot be; but it does not look at the names of features. */
  #deedOf(line: DataLine): Deed | undefined {
    if ("set" in line) return this.#setDeed(line);
    if ("user" in line) return this.#tokenDeed(line);
    if ("catalogue" in line) return this.#catalogueDeed(line);
    if ("setting" in line) return this.#settingDeed(line);
    this.#checkPepper(line);
    return undefined;
  }

  #setDeed({ set: key, connection, features }: SetLine): Deed {
    const { stored } = this.#sets.find({ key, connection });
    if (features.length > stored.limit) throw tooManyMembers(key, stored.limit);
    return { of: "sets", stored, item: { key, personal: isPersonal(stored), features, limit: stored.limit } };
  }

  #tokenDeed(line: TokenLine): Deed {
    const tokens = this.#tokens;
    if (!tokens) throw new ChangeRejected("the configuration has no tokens; add the section tokens.");
    if (!isValue(line.user))
      throw new ChangeRejected("a user id has 1 to 200 printable characters; name another user.");
    if ("tokenDigest" in line) {
      if (tokens.pepper === undefined) {
        throw new ChangeRejected("the tokens of this configuration are not hashed; choose the layout hashed.");
      }
      if (!isTokenDigest(line.tokenDigest))
        throw new ChangeRejected("the digest of a token has 43 of A-Z a-z 0-9 _ -.");
      return { of: "tokens", store: tokens.store, item: { digest: line.tokenDigest, userId: line.user } };
    }
    if (!isToken(line.token)) throw new ChangeRejected(`invalid token (expected ${tokenGrammar}).`);
    return { of: "tokens", store: tokens.store, item: { token: line.token, userId: line.user } };
  }

  #catalogueDeed(line: CatalogueLine): Deed {
    if (!isServedKey(line.catalogue)) throw notServed(line.catalogue);
    if (!this.#documents) {
      throw new ChangeRejected("there is no store for the catalogue; add a source of kind set, which gives it one.");
    }
    return { of: "entries", store: this.#documents, item: line };
  }

  #settingDeed({ setting, source, feature }: RuleLine): Deed {
    if (!isServedKey(feature)) throw notServed(feature);
    const kept = this.#sets.settingsOf(source);
    const value = checkedRule(kept.check, setting);
    return { of: "settings", kept, item: { collection: kept.collection, name: feature, value } };
  }

  #checkPepper({ pepper }: DataHeader): void {
    if (pepper === undefined || this.#tokens?.pepper === undefined || pepper === this.#tokens.pepper) return;
    throw new ChangeRejected(
      "the digests of tokens were made with another pepper; set TIDEGATE_TOKEN_PEPPER to the one of the store that was exported.",
    );
  }
}

function put(deed: Deed, lanes: ImportLanes, place: number): Promise<void> | undefined {
  switch (deed.of) {
    case "sets":
      return lanes.ofSets(deed.stored).add(deed.item, place);
    case "tokens":
      return lanes.ofTokens(deed.store).add(deed.item, place);
    case "entries":
      return lanes.ofEntries(deed.store).add(deed.item, place);
    case "settings":
      return lanes.ofSettings(deed.kept).add(deed.item, place);
  }
}

function checkFeatures({ features }: SetLine): void {
  // Few names are looked at one by one, because it takes long.
  const odd = isServedKey(features.join(" ")) ? features.indexOf("") : features.findIndex((each) => !isServedKey(each));
  if (odd >= 0) throw notServed(features[odd] ?? "");
  if (new Set(features).size < features.length) throw new ChangeRejected("a feature is named twice; name each once.");
}

const isHeader = (read: ReadLine): boolean => "line" in read && "tidegate" in read.line;
const noHeader = 'the first line is to be {"tidegate":1}; write it before all others.';

const refused = ({ name }: Importable, faults: readonly string[]): ChangeRejected =>
  new ChangeRejected(
    `${name} cannot be imported, and nothing was changed:\n${faults.map((fault) => `  ${fault}`).join("\n")}`,
  );
