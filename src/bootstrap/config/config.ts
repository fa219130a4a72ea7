import { z } from "zod";
import type { Editable, SchemaTools, SourceDefinition, SourceHost } from "../../adapters/sources/_catalogue/source.ts";
import { definitionOf, isFile } from "../../adapters/sources/_catalogue/source-catalogue.ts";
import { credentialsCollection } from "../../application/admin/stored-credential.ts";
import { catalogueCollection, coverageCollection } from "../../application/events/change-event.ts";
import { feedsCollection } from "../../application/feeds/items-record.ts";
import type { FeatureResolver } from "../../domain/evaluation/feature-resolver.ts";
import { KeyTemplate } from "../../domain/evaluation/key-template.ts";
import type { Source } from "../../domain/evaluation/source.ts";
import type { FeedToPoll } from "../../domain/feeds/item-feed.ts";
import type { KeysRead } from "../../infrastructure/cache/keys-read.ts";
import { ConfigError, type Problem, type ReportProblem } from "../../infrastructure/config-error.ts";
import { listIn, mapIn } from "../../infrastructure/entries.ts";
import { locatorOf, type MakeLocator } from "../../infrastructure/location/locator-of.ts";
import type { LocatorOptions } from "../../infrastructure/location/locator-options.ts";
import { shortestPepper } from "../../infrastructure/token-key.ts";
import { dataFolder } from "./data-folder.ts";
import { checkAdminToken, withEnvironment } from "./environment.ts";
import { apart, checkEventLogConnection, eventLogConnection } from "./event-log-connection.ts";
import {
  type CollectionInUse,
  checkCollections,
  checkOverlaps,
  checkProxiedKeys,
  checkReservedKeys,
  checkTokenKeys,
  type KeyInUse,
  keysRead,
  namesOfStores,
  type ProxiedKeys,
  storeOf,
} from "./keys-in-use.ts";
import { base, commonOptions, type TokenOptions } from "./schema.ts";
import { check } from "./schema-problems.ts";
import { checkRules } from "./source-rules.ts";
import { pathText, textOf, YamlFile } from "./yaml-file.ts";

/** A configured source. `create` makes its resolver. */
export type ConfiguredSource = Omit<Source, "resolver"> & {
  readonly kind: string;
  /** Whether a resolver over the sets of a past moment returns what the source returned then. */
  readonly isReplayable: boolean;
  /** Whether its kind is a file of somebody else, whose `varyBy` no test of this repository checks. */
  readonly isOutside: boolean;
  readonly editable: EditablePlace | undefined;
  /** The file or URL that it reads, if any. Contains no secret. */
  readonly reads: string | undefined;
  readonly feed: ConfiguredFeed | undefined;
  readonly create: (host: SourceHost) => FeatureResolver;
};

/** The feed whose items a source reads, and the connection that stores them. */
export type ConfiguredFeed = { readonly connection: string; readonly create: () => FeedToPoll };

/** What operators can change of a source, and where it is stored. */
export type EditablePlace = { readonly connection: string } & (
  | { readonly key: KeyTemplate; readonly limit: number }
  | { readonly collection: string; readonly schema: z.ZodType }
);

/** A valid configuration. */
export type Config = Omit<z.output<typeof base>, "sources" | "connections" | "locators"> & {
  readonly file: string;
  /** The stores by name, and the place of the event log. */
  readonly connections: ReturnType<typeof apart>["connections"];
  readonly eventLog: ReturnType<typeof apart>["eventLog"];
  readonly sources: readonly ConfiguredSource[];
  /** Factories of the locators, in order of precedence. */
  readonly locators: readonly MakeLocator[];
  /** The store name in the event log, by connection. Two connections may lead to one store. */
  readonly stores: ReadonlyMap<string, string>;
  /** The keys that operators may read. */
  readonly proxied: readonly ProxiedKeys[];
  /** The keys that are read, by connection. */
  readonly keys: ReadonlyMap<string, KeysRead>;
};

/** The schemas of options that name a collection. */
const collectionSchemas = z.registry<{ readonly isCollection: true }>();

/** The collections of Tidegate's own documents. */
export const ownCollections = [catalogueCollection, coverageCollection, credentialsCollection, feedsCollection];

/**
 * Loads a configuration from its file, or from a text in its place. Rejects with one `ConfigError` that lists all
 * problems, including differences from the `running` server that need a restart.
 */
export async function loadConfig(
  file: string,
  env: NodeJS.ProcessEnv,
  text = textOf(file),
  running?: Config["server"],
): Promise<Config> {
  const data = dataFolder(env);
  const yaml = YamlFile.parse(file, text, { ...env, TIDEGATE_DATA: data });
  const problems: Problem[] = [...yaml.problems];
  const complain: ReportProblem = (path, fault) =>
    problems.push({ place: yaml.placeOf(path), path: pathText(path), fault });

  const raw = withEnvironment(yaml.toJS(), env, problems);
  checkAdminToken(env, problems);
  const checked = check(base, raw, yaml, [], problems);
  const connections = Object.keys(mapIn(raw, "connections")).filter((name) => name !== eventLogConnection);
  const entries = listIn(raw, "sources");
  const sources: ConfiguredSource[] = [];
  const keys: KeyInUse[] = [];
  const collections: CollectionInUse[] = [];
  for (const [index, entry] of entries.entries()) {
    const kind = entry["kind"];
    if (typeof kind !== "string") continue;
    const path = ["sources", index];
    const definition = await definitionOf(kind, file, env);
    if (typeof definition === "string") {
      complain([...path, "kind"], definition);
      continue;
    }
    const schemas = schemasOf(definition, wordsFor(connections));
    if (typeof schemas === "string") {
      complain([...path, "kind"], `${kind} ${schemas}`);
      continue;
    }
    const { options, rule } = schemas;
    const parsed = check(withCommonOptions(options), entry, yaml, path, problems);
    if (!parsed) continue;
    sources.push(configured(parsed, definition, rule));
    for (const [option, value] of Object.entries(parsed)) {
      const connection = String(entry["connection"]);
      const inUse = { connection, store: storeOf(raw, connection), path: [...path, option] };
      if (value instanceof KeyTemplate) keys.push({ ...inUse, template: value });
      else if (isCollection(options.shape[option])) collections.push({ ...inUse, collection: String(value), kind });
    }
  }
  for (const [index, locator] of (checked?.locators ?? []).entries()) {
    if (locator.kind !== "user") continue;
    const { connection, key: template } = locator;
    if (!connections.includes(connection)) {
      complain(["locators", index, "connection"], noConnection(connection, connections));
    }
    const store = storeOf(raw, connection);
    keys.push({ connection, store, template, path: ["locators", index, "key"], isPlace: true });
  }
  const proxied = proxiedKeys(checked?.server.proxy ?? [], connections, complain);
  checkEventLogConnection(raw, data, complain);
  checkRules(entries, complain);
  checkOverlaps(keys, complain);
  checkCollections(collections, complain);
  checkReservedKeys(keys, checked?.tokens, complain);
  checkProxiedKeys(proxied, checked?.tokens, complain);
  if (checked?.tokens) checkTokenKeys(checked.tokens, storeOf(raw, checked.tokens.connection), keys, complain);
  if (checked?.tokens && !connections.includes(checked.tokens.connection)) {
    complain(["tokens", "connection"], noConnection(checked.tokens.connection, connections));
  }
  if (checked?.tokens) checkPepper(checked.tokens, env, complain);
  if (checked && running) checkUnchanged(checked.server, running, complain);
  const locators = checked ? await locatorsOf(checked.locators, complain) : [];
  if (!checked || problems.length > 0) throw new ConfigError(file, inOrder(problems));
  const separated = apart(checked.connections, data);
  const stores = namesOfStores(raw, Object.keys(separated.connections), [...keys, ...collections]);
  const { locators: _, ...rest } = checked;
  return {
    ...rest,
    ...separated,
    file,
    sources,
    locators,
    stores,
    proxied,
    keys: keysRead(keys, collections, proxied, checked.tokens),
  };
}

/** Creates each locator once to check it, then discards it: few tasks use locators. */
async function locatorsOf(entries: readonly LocatorOptions[], complain: ReportProblem): Promise<Config["locators"]> {
  const locators = await Promise.all(entries.map(locatorOf));
  for (const [index, make] of locators.entries()) {
    try {
      make(() => noSets);
    } catch (cause) {
      complain(["locators", index, "database"], cause instanceof Error ? cause.message : String(cause));
    }
  }
  return locators;
}

/** A stub for locators that are created but not called. */
const noSets = { read: () => Promise.reject(new Error("not connected")) };

/** The connection of an entry is optional if there is only one. */
function proxiedKeys(
  entries: Config["server"]["proxy"],
  connections: readonly string[],
  complain: ReportProblem,
): readonly ProxiedKeys[] {
  const [only, ...others] = connections;
  return entries.map(({ prefix, connection }, index) => {
    const path = ["server", "proxy", index];
    const name = connection ?? (others.length === 0 ? only : undefined);
    if (name !== undefined && connections.includes(name)) return { prefix, connection: name, path };
    const fault = `missing connection (expected { prefix: ${JSON.stringify(prefix)}, connection: ${connections.join(" or ")} })`;
    complain(path, connection === undefined && only ? fault : noConnection(connection ?? "", connections));
    return { prefix, connection: name ?? "", path };
  });
}

function checkUnchanged(server: Config["server"], running: Config["server"], complain: ReportProblem): void {
  for (const option of ["host", "port", "workers", "basePath"] as const) {
    if (server[option] === running[option]) continue;
    complain(["server", option], `cannot change from ${running[option]} without a restart`);
  }
}

/** The first problem of each value, in file order. */
function inOrder(problems: readonly Problem[]): Problem[] {
  const first = problems.filter(
    ({ place, path }, index) => problems.findIndex((other) => other.place === place && other.path === path) === index,
  );
  return first.sort((a, b) => a.place.localeCompare(b.place, "en", { numeric: true }));
}

/** Schema tools for the options of a kind: for the connections of one configuration, or, for the docs, of any. */
export function wordsFor(connections: readonly string[] | undefined): SchemaTools {
  return {
    z,
    connection: z.string().refine((name) => !connections || connections.includes(name), {
      error: ({ input }) => noConnection(String(input), connections ?? []),
    }),
    keyTemplate: z.string().transform((text, context) => {
      const template = KeyTemplate.parse(text);
      if (template instanceof KeyTemplate) return template;
      context.addIssue(template);
      return z.NEVER;
    }),
    collection: z
      .string()
      .regex(/^[a-z][a-z0-9-]{0,63}$/, "invalid collection (expected up to 64 of a-z 0-9 -, starting with a letter)")
      .refine((name) => !ownCollections.includes(name), "reserved collection (choose another name)")
      .register(collectionSchemas, { isCollection: true }),
  };
}

/** Whether an option names a collection, also if the kind gave it a description or made it optional. */
function isCollection(schema: z.core.$ZodType | undefined): boolean {
  if (!schema) return false;
  if (collectionSchemas.get(schema)) return true;
  const isWrapped =
    schema instanceof z.ZodDefault || schema instanceof z.ZodOptional || schema instanceof z.ZodPrefault;
  return isWrapped && isCollection(schema.unwrap());
}

/** Schemas of a source's options in the YAML, and of its rules. */
type Schemas = { readonly options: z.ZodObject; readonly rule: z.ZodType | undefined };

function schemasOf(definition: SourceDefinition, words: SchemaTools): Schemas | string {
  try {
    const options = definition.options(words);
    if (!(options instanceof z.ZodObject)) return "has invalid options (expected z.strictObject)";
    const missing = neededBy(definition).filter((option) => !Object.hasOwn(options.shape, option));
    if (missing.length > 0) return `lacks the option ${missing.join(", ")}, which its definition names`;
    const { editable } = definition;
    return { options, rule: editable && "rules" in editable ? editable.rules(words) : undefined };
  } catch (cause) {
    return `cannot create its options: ${cause instanceof Error ? cause.message : cause}`;
  }
}

/** The options that a definition relies on. */
function neededBy({ editable, feed }: SourceDefinition): readonly string[] {
  const connection = editable || feed ? ["connection"] : [];
  return [...connection, ...(editable ? optionsOf(editable) : [])];
}

const optionsOf = (editable: Editable): readonly string[] =>
  "set" in editable ? [editable.set, editable.limit] : ["collection"];

/** Adds the common options to the schema of a kind, and keeps the kind's checks across its options. */
function withCommonOptions({ shape, def }: z.ZodObject) {
  const checks = (def.checks ?? []) as z.core.$ZodCheck<unknown>[];
  return z.strictObject({ ...commonOptions.shape, ...shape }).check(...checks);
}

function noConnection(name: string, connections: readonly string[]): string {
  const wayOut = connections.length > 0 ? `expected one of ${connections.join(", ")}` : "declare it under connections";
  if (name === eventLogConnection) return `"${name}" is the connection of the event log (${wayOut})`;
  return `unknown connection "${name}" (${wayOut})`;
}

function configured(
  parsed: z.output<typeof commonOptions>,
  definition: SourceDefinition,
  rule: z.ZodType | undefined,
): ConfiguredSource {
  const { name, kind, role, gatedBy, default: byDefault = "deny", onFailure, timeoutMs, ...options } = parsed;
  const { deterministic: replayable, feed } = definition;
  return {
    ...{ name, kind, role, gatedBy, default: byDefault, onFailure, timeoutMs },
    isReplayable: typeof replayable === "function" ? replayable(options) : replayable === true,
    isOutside: isFile(kind),
    editable: editablePlace(options, definition.editable, rule),
    reads: placeRead(options),
    feed: feed && { connection: connectionIn(options), create: () => feed(options, name) },
    create: (host) => definition.create(options, host),
  };
}

const connectionIn = (options: Readonly<Record<string, unknown>>): string => String(options["connection"]);

function editablePlace(
  options: Readonly<Record<string, unknown>>,
  editable: Editable | undefined,
  rule: z.ZodType | undefined,
): EditablePlace | undefined {
  if (!editable) return undefined;
  const connection = connectionIn(options);
  if (rule) return { connection, collection: String(options["collection"]), schema: rule };
  if (!("set" in editable)) return undefined;
  return { connection, key: options[editable.set] as KeyTemplate, limit: Number(options[editable.limit]) };
}

/** The file or the URL in the options of a source. A URL is shortened to its path: its query may contain a secret. */
function placeRead({ url, file, document }: Readonly<Record<string, unknown>>): string | undefined {
  if (url === undefined && document !== undefined) return placeRead(Object(document));
  if (url === undefined) return file === undefined ? undefined : String(file);
  const { origin, pathname } = new URL(String(url));
  return `${origin}${pathname}`;
}

function checkPepper({ layout, pepperFile }: TokenOptions, env: NodeJS.ProcessEnv, complain: ReportProblem): void {
  const pepper = env["TIDEGATE_TOKEN_PEPPER"];
  if (layout === "hashed" && !pepper && !pepperFile) {
    complain(["tokens", "layout"], "hashed tokens need a pepper (set TIDEGATE_TOKEN_PEPPER or pepperFile)");
  } else if (pepper && pepper.length < shortestPepper) {
    complain(
      ["tokens", "layout"],
      `TIDEGATE_TOKEN_PEPPER has less than ${shortestPepper} characters (set a longer one)`,
    );
  }
}
