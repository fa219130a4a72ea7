import type { ChangeOptions } from "../../domain/admin/change.ts";
import type { DocumentStore } from "../../domain/admin/document-store.ts";
import { isPersonal } from "../../domain/admin/editable-set.ts";
import { ChangeRejected, noTokens, notServed, tooManyMembers, UnknownSource } from "../../domain/errors.ts";
import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import { isServedKey } from "../../domain/evaluation/feature.ts";
import { isValue, valueRule } from "../../domain/evaluation/key-template.ts";
import { isToken, tokenGrammar } from "../../domain/evaluation/token.ts";
import type { Catalogue } from "../admin/catalogue.ts";
import type { EditableSources } from "../admin/editable-sources.ts";
import { checkedRule } from "../admin/manage-rules.ts";
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
import { type ImportLanes, importLanes } from "./import-lanes.ts";

/** A line and its number, from 1 on; or the fault of an invalid line. */
export type ReadLine = { readonly number: number } & ({ readonly line: DataLine } | { readonly fault: string });

/** The input of an import. Every read returns the same lines. */
export type Importable = {
  /** The name for operators. */
  readonly name: string;
  /** A digest of the content. */
  readonly digest: string;
  /** All lines, in pages. */
  read(): AsyncIterable<readonly ReadLine[]>;
};

/** Progress of an import: the last line that was read, of how many, if that is known. */
export type ImportProgress = { readonly phase: "checking" | "importing"; readonly line: number; readonly of?: number };

/** The result of an import. */
export type Imported = {
  readonly sets: number;
  readonly tokens: number;
  readonly entries: number;
  readonly rules: number;
  /** The number of change records, which are relayed to the event log later. */
  readonly records: number;
  /** The number of items that an earlier run of the import had written. */
  readonly skipped: number;
};

const maxFaults = 20;

/** The change of a line: what it is counted as, and how it is added to its lane. */
type LineChange = {
  readonly of: "sets" | "tokens" | "entries" | "rules";
  readonly addTo: (lanes: ImportLanes, position: number) => Promise<void> | undefined;
};

/**
 * Imports sets, tokens, descriptions and rules into the stores, in the order of the lines, after it has checked all of
 * them. Resumable: each line is written once, however often the import is started; `again` starts it anew. Rejects with
 * `ChangeRejected`, without any change, if a line is invalid.
 */
export function importData(
  sources: EditableSources,
  tokens: TokensOfData | undefined,
  documents: DocumentStore | undefined,
  catalogue: Pick<Catalogue, "all">,
  now: () => Instant,
) {
  /** Returns the number of lines. */
  async function check(from: Importable, onProgress: (progress: ImportProgress) => void): Promise<number> {
    const faults: string[] = [];
    let last = 0;
    for await (const page of from.read()) {
      for (const read of page) {
        const fault = last === 0 && !isHeader(read) ? noHeader : faultOf(read);
        if (fault !== undefined) faults.push(`line ${read.number}: ${fault}`);
        if (last === 0 && fault === noHeader) throw rejected(from, faults);
        if (faults.length === maxFaults) throw rejected(from, [...faults, "there may be more"]);
        last = read.number;
      }
      onProgress({ phase: "checking", line: last });
    }
    if (last === 0) faults.push(noHeader);
    if (faults.length > 0) throw rejected(from, faults);
    return last;
  }

  function faultOf(read: ReadLine): string | undefined {
    if ("fault" in read) return read.fault;
    try {
      if ("set" in read.line) checkFeatures(read.line);
      changeOf(read.line);
      return undefined;
    } catch (error) {
      if (error instanceof ChangeRejected || error instanceof UnknownSource) return error.message;
      throw error;
    }
  }

  /** Throws `ChangeRejected` for an invalid line. Does not check feature keys in sets. */
  function changeOf(line: DataLine): LineChange | undefined {
    if ("set" in line) return setChange(line);
    if ("user" in line) return tokenChange(line);
    if ("catalogue" in line) return catalogueChange(line);
    if ("rule" in line) return ruleChange(line);
    checkPepper(line);
    return undefined;
  }

  function setChange({ set: key, connection, features }: SetLine): LineChange {
    const { set } = sources.findSet({ key, connection });
    if (features.length > set.limit) throw tooManyMembers(key, set.limit);
    const item = { key, personal: isPersonal(set), features, limit: set.limit };
    return { of: "sets", addTo: (lanes, position) => lanes.ofSets(set).add(item, position) };
  }

  function tokenChange(line: TokenLine): LineChange {
    if (!tokens) throw noTokens();
    if (!isValue(line.user)) throw new ChangeRejected(`Invalid user id (expected ${valueRule}).`);
    const { store, pepper } = tokens;
    const item = { ...tokenIn(line, pepper !== undefined), userId: line.user };
    return { of: "tokens", addTo: (lanes, position) => lanes.ofTokens(store).add(item, position) };
  }

  function catalogueChange(line: CatalogueLine): LineChange {
    if (!isServedKey(line.catalogue)) throw notServed(line.catalogue);
    if (!documents) throw new ChangeRejected("The catalogue has no store. Add a source of kind set.");
    return { of: "entries", addTo: (lanes, position) => lanes.ofEntries(documents).add(line, position) };
  }

  function ruleChange({ rule, source, feature }: RuleLine): LineChange {
    if (!isServedKey(feature)) throw notServed(feature);
    const rules = sources.rulesOf(source);
    const value = checkedRule(rules.check, feature, rule);
    const item = { collection: rules.collection, name: feature, value };
    return { of: "rules", addTo: (lanes, position) => lanes.ofRules(rules).add(item, position) };
  }

  function checkPepper({ pepper }: DataHeader): void {
    if (pepper === undefined || tokens?.pepper === undefined || pepper === tokens.pepper) return;
    throw new ChangeRejected(
      "The token digests were made with another pepper. Set TIDEGATE_TOKEN_PEPPER to the pepper of the exported store.",
    );
  }

  return async (
    from: Importable,
    author: Pick<ChangeOptions, "by" | "email">,
    {
      again = false,
      onProgress = () => {},
    }: { readonly again?: boolean; readonly onProgress?: (progress: ImportProgress) => void },
  ): Promise<Imported> => {
    const lines = await check(from, onProgress);
    const load = again ? `${from.digest}.${now()}` : from.digest;
    const lanes = importLanes({ ...author, note: `import of ${from.name}` }, load, await catalogue.all(), now());
    const counts = { sets: 0, tokens: 0, entries: 0, rules: 0 };
    for await (const page of from.read()) {
      for (const read of page) {
        const change = "line" in read && changeOf(read.line);
        if (!change) continue;
        counts[change.of] += 1;
        const wait = change.addTo(lanes, read.number);
        if (wait) await wait;
      }
      onProgress({ phase: "importing", line: page.at(-1)?.number ?? lines, of: lines });
    }
    return { ...counts, ...(await lanes.end()) };
  };
}

export type ImportData = ReturnType<typeof importData>;

function tokenIn(line: TokenLine, areHashed: boolean): { readonly token: string } | { readonly digest: string } {
  if (!("tokenDigest" in line)) {
    if (isToken(line.token)) return { token: line.token };
    throw new ChangeRejected(`invalid token (expected ${tokenGrammar}).`);
  }
  if (!areHashed)
    throw new ChangeRejected("token digests need hashed tokens; set the layout of the section tokens to hashed.");
  if (isTokenDigest(line.tokenDigest)) return { digest: line.tokenDigest };
  throw new ChangeRejected("invalid token digest (expected 43 characters of A-Z a-z 0-9 _ -).");
}

function checkFeatures({ features }: SetLine): void {
  // One check of the joined keys is much faster than one check for each key.
  const invalidIndex = isServedKey(features.join(" "))
    ? features.indexOf("")
    : features.findIndex((each) => !isServedKey(each));
  if (invalidIndex >= 0) throw notServed(features[invalidIndex] ?? "");
  if (new Set(features).size < features.length)
    throw new ChangeRejected("the line contains a feature twice; remove one.");
}

const isHeader = (read: ReadLine): boolean => "line" in read && "tidegate" in read.line;
const noHeader = 'missing header (expected {"tidegate":1} on the first line).';

const rejected = ({ name }: Importable, faults: readonly string[]): ChangeRejected =>
  new ChangeRejected(
    `${name} cannot be imported; nothing was changed:\n${faults.map((fault) => `  ${fault}`).join("\n")}`,
  );
