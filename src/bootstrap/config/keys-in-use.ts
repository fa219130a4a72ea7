import { catalogueCollection } from "../../application/events/change-event.ts";
import { KeyTemplate } from "../../domain/evaluation/key-template.ts";
import type { KeysRead } from "../../infrastructure/cache/keys-read.ts";
import type { ReportProblem } from "../../infrastructure/config-error.ts";
import { mapIn } from "../../infrastructure/entries.ts";
import { collectionKey, isOwnKey, killedKey, ownPrefix, registerKey } from "../../infrastructure/stores/store-keys.ts";
import { hashedTemplate, plainTemplate } from "../../infrastructure/token-key.ts";
import type { TokenOptions } from "./schema.ts";
import { type Path, pathText } from "./yaml-file.ts";

/** A key that a source reads, its store, and its path in the configuration. */
export type KeyInUse = {
  readonly connection: string;
  readonly store: string;
  readonly template: KeyTemplate;
  readonly path: Path;
  /** Whether the key contains stored locations, not features. */
  readonly isLocation?: boolean;
};

/** A collection in which a source stores its rules, with their kind and the path in the configuration. */
export type CollectionInUse = Pick<KeyInUse, "connection" | "store" | "path"> & {
  readonly collection: string;
  readonly kind: string;
};

/**
 * Identifies the store of a connection: two names for one URL or file are one store, each with its own in-memory data.
 */
export function storeOf(raw: unknown, connection: string): string {
  const options = mapIn(mapIn(raw, "connections"), connection);
  const store = String(options["url"] ?? options["file"] ?? connection);
  return store === ":memory:" ? connection : store;
}

/**
 * The connection under whose name the event log records a store, for each connection. Of the connections of one store:
 * the first that a source reads, otherwise the first.
 */
export function namesOfStores(
  raw: unknown,
  connections: readonly string[],
  keys: readonly Pick<KeyInUse, "connection">[],
): ReadonlyMap<string, string> {
  const inOrder = [...keys.map(({ connection }) => connection), ...connections];
  const nameOf = (connection: string) => inOrder.find((other) => storeOf(raw, other) === storeOf(raw, connection));
  return new Map(connections.map((connection) => [connection, nameOf(connection) ?? connection]));
}

/** Rejects two templates that can produce the same key: otherwise a location could select the set of a user. */
export function checkOverlaps(keys: readonly KeyInUse[], reportProblem: ReportProblem): void {
  for (const [index, { store, template, path, isLocation }] of keys.entries()) {
    const other = keys
      .slice(0, index)
      .find((earlier) => earlier.store === store && earlier.template.overlaps(template));
    if (!other || (other.template.text === template.text && other.isLocation === isLocation)) continue;
    const fault = `"${template.text}" and "${other.template.text}" (${pathText(other.path)}) can produce the same key`;
    reportProblem(path, `${fault} (choose different prefixes)`);
  }
}

/** Sources of one kind may share a collection of rules. Different kinds may not, because their rules differ. */
export function checkCollections(collections: readonly CollectionInUse[], reportProblem: ReportProblem): void {
  for (const [index, { store, collection, kind, path }] of collections.entries()) {
    const other = collections
      .slice(0, index)
      .find((earlier) => earlier.store === store && earlier.collection === collection && earlier.kind !== kind);
    if (!other) continue;
    reportProblem(
      path,
      `"${collection}" contains the rules of ${pathText(other.path)}, of kind ${other.kind} (choose another collection)`,
    );
  }
}

/**
 * Rejects sources that read token keys: client input would reveal which tokens exist. A token that is stored as it is
 * may contain colons, a digest has none.
 */
export function checkTokenKeys(
  tokens: TokenOptions,
  store: string,
  keys: readonly KeyInUse[],
  reportProblem: ReportProblem,
): void {
  const own = tokenTemplate(tokens);
  const shape = tokenShape(tokens);
  for (const { template, path } of keys.filter((each) => each.store === store)) {
    const meets =
      tokens.layout === "plain"
        ? template.reaches(tokenPrefix(tokenTemplate(tokens)))
        : shape instanceof KeyTemplate && shape.overlaps(template);
    if (meets) {
      reportProblem(path, `"${template.text}" can produce a token key, ${own} (choose a different prefix)`);
    }
  }
}

/** Rejects keys of sources and tokens that are reserved for Tidegate. */
export function checkReservedKeys(
  keys: readonly KeyInUse[],
  tokens: TokenOptions | undefined,
  reportProblem: ReportProblem,
): void {
  const shape = tokens && tokenShape(tokens);
  const all: { template: KeyTemplate; path: Path }[] = [...keys];
  if (shape instanceof KeyTemplate) all.push({ template: shape, path: ["tokens", "key"] });
  for (const { template, path } of all) {
    if (!isOwnKey(template.prefix)) continue;
    reportProblem(path, `keys that start with ${ownPrefix} are reserved, except ${killedKey} (choose another prefix)`);
  }
}

/** A key prefix that operators may read, its connection, and its path in the configuration. */
export type ProxiedKeys = { readonly prefix: string; readonly connection: string; readonly path: Path };

/** Rejects operator access to token keys of any layout and to Tidegate's own keys, and keys in more than one store. */
export function checkProxiedKeys(
  proxied: readonly ProxiedKeys[],
  tokens: TokenOptions | undefined,
  reportProblem: ReportProblem,
): void {
  const templates = [plainTemplate, hashedTemplate, ...(tokens ? [tokenTemplate(tokens)] : [])];
  const secret = [ownPrefix, ...templates.map(tokenPrefix)];
  for (const [index, { prefix, connection, path }] of proxied.entries()) {
    const reserved = secret.find((other) => overlap(other, prefix));
    if (reserved !== undefined) {
      const reservedFor = reserved === ownPrefix ? "the reserved keys" : "the token keys";
      reportProblem(path, `"${prefix}" overlaps ${reservedFor}, ${reserved} (choose another prefix)`);
      continue;
    }
    const other = proxied.slice(0, index).find((each) => overlap(each.prefix, prefix));
    if (!other || other.connection === connection) continue;
    reportProblem(
      path,
      `"${prefix}" overlaps "${other.prefix}" of another connection, ${pathText(other.path)} (choose another prefix)`,
    );
  }
}

const overlap = (a: string, b: string): boolean => a.startsWith(b) || b.startsWith(a);

/** The keys that are read, by connection. */
export function keysRead(
  keys: readonly KeyInUse[],
  collections: readonly CollectionInUse[],
  proxied: readonly ProxiedKeys[],
  tokens: TokenOptions | undefined,
): ReadonlyMap<string, KeysRead> {
  const connections = new Set([
    ...[...keys, ...collections, ...proxied].map(({ connection }) => connection),
    ...(tokens ? [tokens.connection] : []),
  ]);
  const readOf = (connection: string): KeysRead => {
    const own = keys.filter((key) => key.connection === connection);
    const templates = own.map(({ template }) => template);
    const rules = collections.filter((each) => each.connection === connection).map(({ collection }) => collection);
    const others = proxied.filter((each) => each.connection === connection).map(({ prefix }) => prefix);
    if (tokens?.connection === connection) others.push(tokenPrefix(tokenTemplate(tokens)));
    if (own.length + rules.length > 0) others.push(registerKey, collectionKey(catalogueCollection));
    return {
      prefixes: [...templates.map(({ prefix }) => prefix), ...rules.map(collectionKey), ...others],
      fixed: new Set(templates.filter(({ fields }) => fields.length === 0).map(({ text }) => text)),
      arbitrary: templates.filter(({ fields }) => fields.includes("location")).map(({ prefix }) => prefix),
      collections: new Set(rules),
      locations: own.filter(({ isLocation }) => isLocation).map(({ template }) => template),
    };
  };
  return new Map([...connections].map((connection) => [connection, readOf(connection)]));
}

/** Template of the token keys. A token may be any text that is valid as a user id. */
const tokenShape = (tokens: TokenOptions): KeyTemplate | string =>
  KeyTemplate.parse(tokenTemplate(tokens).replace("{token}", "{userId}"));

const tokenPrefix = (template: string): string => template.replace("{token}", "");

const tokenTemplate = ({ layout, key }: TokenOptions): string =>
  key ?? (layout === "plain" ? plainTemplate : hashedTemplate);
