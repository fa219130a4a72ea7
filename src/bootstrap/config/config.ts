import type { z } from "zod";
import { definitionOf } from "../../adapters/sources/_catalogue/source-catalogue.ts";
import { errorMessage } from "../../domain/error-message.ts";
import { KeyTemplate } from "../../domain/evaluation/key-template.ts";
import type { KeysRead } from "../../infrastructure/cache/keys-read.ts";
import { ConfigError, type ConfigProblem, type ReportProblem } from "../../infrastructure/config-error.ts";
import { listIn, mapIn } from "../../infrastructure/entries.ts";
import { locatorOf, type MakeLocator } from "../../infrastructure/location/locator-of.ts";
import type { LocatorOptions } from "../../infrastructure/location/locator-options.ts";
import { shortestPepper } from "../../infrastructure/token-key.ts";
import { type ConfiguredSource, configured, schemasOf, withCommonOptions } from "./configured-source.ts";
import { dataFolder } from "./data-folder.ts";
import { checkAdminToken, withEnvironment } from "./environment.ts";
import { checkEventLogConnection, eventLogConnection, separateEventLog } from "./event-log-connection.ts";
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
import { base, type TokenOptions } from "./schema.ts";
import { check } from "./schema-problems.ts";
import { isCollection, noConnection, schemaTools } from "./schema-tools.ts";
import { checkPassedOn, checkRules } from "./source-rules.ts";
import { configText, pathText, YamlFile } from "./yaml-file.ts";

/** A valid configuration. */
export type Config = Omit<z.output<typeof base>, "sources" | "connections" | "locators"> & {
  readonly file: string;
  /** The text of the file. It may contain secrets. */
  readonly text: string;
  /** The stores by name, and the place of the event log. */
  readonly connections: ReturnType<typeof separateEventLog>["connections"];
  readonly eventLog: ReturnType<typeof separateEventLog>["eventLog"];
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

/**
 * Loads a configuration from its file, or from a text in its place. Rejects with one `ConfigError` that lists all
 * problems, including differences from the `running` server that need a restart.
 */
export async function loadConfig(
  file: string,
  env: NodeJS.ProcessEnv,
  text = configText(file),
  running?: Config["server"],
): Promise<Config> {
  const data = dataFolder(env);
  const yaml = YamlFile.parse(file, text, { ...env, TIDEGATE_DATA: data });
  const problems: ConfigProblem[] = [...yaml.problems];
  const reportProblem: ReportProblem = (path, fault) =>
    problems.push({ place: yaml.positionOf(path), path: pathText(path), fault });

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
      reportProblem([...path, "kind"], definition);
      continue;
    }
    const schemas = schemasOf(definition, schemaTools(connections));
    if (typeof schemas === "string") {
      reportProblem([...path, "kind"], `${kind} ${schemas}`);
      continue;
    }
    const { options, rules } = schemas;
    const parsed = check(withCommonOptions(options), entry, yaml, path, problems);
    if (!parsed) continue;
    sources.push(configured(parsed, definition, rules));
    // Keys and collections have their defaults also if the source reads no store.
    if (entry["connection"] === undefined) continue;
    const connection = String(entry["connection"]);
    for (const [option, value] of Object.entries(parsed)) {
      const inUse = { connection, store: storeOf(raw, connection), path: [...path, option] };
      if (value instanceof KeyTemplate) keys.push({ ...inUse, template: value });
      else if (isCollection(options.shape[option])) collections.push({ ...inUse, collection: String(value), kind });
    }
  }
  for (const [index, locator] of (checked?.locators ?? []).entries()) {
    if (locator.kind !== "user") continue;
    const { connection, key: template } = locator;
    if (!connections.includes(connection)) {
      reportProblem(["locators", index, "connection"], noConnection(connection, connections));
    }
    const store = storeOf(raw, connection);
    keys.push({ connection, store, template, path: ["locators", index, "key"], isLocation: true });
  }
  const proxied = proxiedKeys(checked?.server.proxy ?? [], connections, reportProblem);
  checkEventLogConnection(raw, data, reportProblem);
  checkRules(entries, reportProblem);
  if (checked) checkPassedOn(checked.compatibility.unleash, entries, reportProblem);
  checkOverlaps(keys, reportProblem);
  checkCollections(collections, reportProblem);
  checkReservedKeys(keys, checked?.tokens, reportProblem);
  checkProxiedKeys(proxied, checked?.tokens, reportProblem);
  if (checked?.tokens) checkTokenKeys(checked.tokens, storeOf(raw, checked.tokens.connection), keys, reportProblem);
  if (checked?.tokens && !connections.includes(checked.tokens.connection)) {
    reportProblem(["tokens", "connection"], noConnection(checked.tokens.connection, connections));
  }
  if (checked?.tokens) checkPepper(checked.tokens, env, reportProblem);
  if (checked && running) checkUnchanged(checked.server, running, reportProblem);
  const locators = checked ? await locatorsOf(checked.locators, reportProblem) : [];
  if (!checked || problems.length > 0) throw new ConfigError(file, inOrder(problems));
  const separated = separateEventLog(checked.connections, data);
  const stores = namesOfStores(raw, Object.keys(separated.connections), [...keys, ...collections]);
  const { locators: _, ...rest } = checked;
  return {
    ...rest,
    ...separated,
    file,
    text,
    sources,
    locators,
    stores,
    proxied,
    keys: keysRead(keys, collections, proxied, checked.tokens),
  };
}

/** Creates each locator once to check it, then discards it: few tasks use locators. */
async function locatorsOf(
  entries: readonly LocatorOptions[],
  reportProblem: ReportProblem,
): Promise<Config["locators"]> {
  const locators = await Promise.all(entries.map(locatorOf));
  for (const [index, make] of locators.entries()) {
    try {
      make(() => noSets);
    } catch (cause) {
      reportProblem(["locators", index, "database"], errorMessage(cause));
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
  reportProblem: ReportProblem,
): readonly ProxiedKeys[] {
  const [only, ...others] = connections;
  return entries.map(({ prefix, connection }, index) => {
    const path = ["server", "proxy", index];
    const name = connection ?? (others.length === 0 ? only : undefined);
    if (name !== undefined && connections.includes(name)) return { prefix, connection: name, path };
    const fault = `missing connection (expected { prefix: ${JSON.stringify(prefix)}, connection: ${connections.join(" or ")} })`;
    reportProblem(path, connection === undefined && only ? fault : noConnection(connection ?? "", connections));
    return { prefix, connection: name ?? "", path };
  });
}

function checkUnchanged(server: Config["server"], running: Config["server"], reportProblem: ReportProblem): void {
  for (const option of ["host", "port", "workers", "basePath"] as const) {
    if (server[option] === running[option]) continue;
    reportProblem(["server", option], `cannot change from ${running[option]} without a restart`);
  }
}

/** The first problem of each value, in file order. */
function inOrder(problems: readonly ConfigProblem[]): ConfigProblem[] {
  const first = problems.filter(
    ({ place, path }, index) => problems.findIndex((other) => other.place === place && other.path === path) === index,
  );
  return first.sort((a, b) => a.place.localeCompare(b.place, "en", { numeric: true }));
}

function checkPepper({ layout, pepperFile }: TokenOptions, env: NodeJS.ProcessEnv, reportProblem: ReportProblem): void {
  const pepper = env["TIDEGATE_TOKEN_PEPPER"];
  if (layout === "hashed" && !pepper && !pepperFile) {
    reportProblem(["tokens", "layout"], "hashed tokens need a pepper (set TIDEGATE_TOKEN_PEPPER or pepperFile)");
  } else if (pepper && pepper.length < shortestPepper) {
    reportProblem(
      ["tokens", "layout"],
      `TIDEGATE_TOKEN_PEPPER has less than ${shortestPepper} characters (set a longer one)`,
    );
  }
}
