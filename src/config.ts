import { relative, resolve } from "node:path";
import { z } from "zod";
import type { SourceDefinition, SourceHost, Words } from "./adapters/source.ts";
import { definitionOf } from "./adapters/source-catalogue.ts";
import { tokensSource } from "./application/resolve-features.ts";
import type { FeatureResolver } from "./domain/feature-resolver.ts";
import { KeyTemplate } from "./domain/key-template.ts";
import type { Source } from "./domain/source.ts";
import { ConfigError, type Problem } from "./infrastructure/config/config-error.ts";
import { base, cache, commonOptions, log, server, type TokenOptions } from "./infrastructure/config/schema.ts";
import { check } from "./infrastructure/config/schema-problems.ts";
import { type Path, pathText, YamlFile } from "./infrastructure/config/yaml-file.ts";
import { hashedTemplate, plainTemplate, shortestPepper } from "./infrastructure/token-key.ts";

/** A source as configured; `create` makes its resolver. */
export type ConfiguredSource = Omit<Source, "resolver"> & {
  readonly kind: string;
  readonly create: (host: SourceHost) => FeatureResolver;
};

/** A configuration that is known to be usable. */
export type Config = Omit<z.output<typeof base>, "sources"> & {
  readonly file: string;
  readonly sources: readonly ConfiguredSource[];
  /** What the keys begin with that are read of each connection. */
  readonly prefixes: ReadonlyMap<string, readonly string[]>;
};

/** The file to use where none is named: TIDEGATE_CONFIG, or else one of the two that come with Tidegate. */
export function defaultFile(env: NodeJS.ProcessEnv): string {
  if (env["TIDEGATE_CONFIG"]) return env["TIDEGATE_CONFIG"];
  const file = env["REDIS_USERS_URL"] || env["REDIS_FEATURES_URL"] ? "tidegate.yaml" : "embedded.yaml";
  return relative(process.cwd(), resolve(import.meta.dirname, "../config", file));
}

/** Where the embedded store keeps its files, unless TIDEGATE_DATA says otherwise: beside the sources, wherever one stands. */
const defaultData = resolve(import.meta.dirname, "../data");

/** Loads a configuration. Rejects with one `ConfigError` that lists everything that is wrong with it. */
export async function loadConfig(file: string, env: NodeJS.ProcessEnv): Promise<Config> {
  const yaml = YamlFile.read(file, { TIDEGATE_DATA: defaultData, ...env });
  const problems: Problem[] = [...yaml.problems];
  const complain = (path: Path, fault: string) =>
    problems.push({ place: yaml.placeOf(path), path: pathText(path), fault });

  const raw = withEnvironment(yaml.toJS(), env, problems);
  const checked = check(base, raw, yaml, [], problems);
  const connections = Object.keys(mapIn(raw, "connections"));
  const entries = listIn(raw, "sources");
  const sources: ConfiguredSource[] = [];
  const keys: KeyInUse[] = [];
  for (const [index, entry] of entries.entries()) {
    const kind = entry["kind"];
    if (typeof kind !== "string") continue;
    const path = ["sources", index];
    const definition = await definitionOf(kind, file, env);
    if (typeof definition === "string") {
      complain([...path, "kind"], definition);
      continue;
    }
    const options = optionsOf(definition, wordsFor(connections));
    if (typeof options === "string") {
      complain([...path, "kind"], `${kind} ${options}`);
      continue;
    }
    const parsed = check(z.strictObject({ ...commonOptions.shape, ...options.shape }), entry, yaml, path, problems);
    if (!parsed) continue;
    sources.push(configured(parsed, definition));
    for (const [option, value] of Object.entries(parsed)) {
      if (value instanceof KeyTemplate) {
        const connection = String(entry["connection"]);
        keys.push({ connection, store: storeOf(raw, connection), template: value, path: [...path, option] });
      }
    }
  }
  checkRules(entries, complain);
  checkOverlaps(keys, complain);
  if (checked?.tokens) checkTokenKeys(checked.tokens, storeOf(raw, checked.tokens.connection), keys, complain);
  if (checked?.tokens && !connections.includes(checked.tokens.connection)) {
    complain(["tokens", "connection"], noConnection(checked.tokens.connection, connections));
  }
  if (checked?.tokens?.layout === "hashed") checkPepper(checked.tokens, env, complain);
  if (!checked || problems.length > 0) throw new ConfigError(file, inOrder(problems));
  return { ...checked, file, sources, prefixes: prefixesOf(keys, checked.tokens) };
}

function prefixesOf(
  keys: readonly KeyInUse[],
  tokens: TokenOptions | undefined,
): ReadonlyMap<string, readonly string[]> {
  const used = keys.map(({ connection, template }) => ({ connection, prefix: template.prefix }));
  if (tokens) {
    const template = tokens.key ?? (tokens.layout === "plain" ? plainTemplate : hashedTemplate);
    used.push({ connection: tokens.connection, prefix: template.replace("{token}", "") });
  }
  return new Map(
    used.map(({ connection }) => [
      connection,
      used.filter((each) => each.connection === connection).map(({ prefix }) => prefix),
    ]),
  );
}

/** One problem a value, the first that was found, in the order of the file. */
function inOrder(problems: readonly Problem[]): Problem[] {
  const first = problems.filter(
    ({ place, path }, index) => problems.findIndex((other) => other.place === place && other.path === path) === index,
  );
  return first.sort((a, b) => a.place.localeCompare(b.place, "en", { numeric: true }));
}

type Complain = (path: Path, fault: string) => void;
type KeyInUse = {
  readonly connection: string;
  readonly store: string;
  readonly template: KeyTemplate;
  readonly path: Path;
};
type Entry = Record<string, unknown>;

/** The words for an options schema: those of one configuration, or, for the docs, those of any. */
export function wordsFor(connections: readonly string[] | undefined): Words {
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
  };
}

function optionsOf({ options }: SourceDefinition, words: Words): z.ZodObject | string {
  try {
    const schema = options(words);
    return schema instanceof z.ZodObject ? schema : "has options that are no z.strictObject; mend the file";
  } catch (cause) {
    return `cannot tell its options: ${cause instanceof Error ? cause.message : cause}; mend the file`;
  }
}

const noConnection = (name: string, connections: readonly string[]): string =>
  `there is no connection "${name}"; ${connections.length > 0 ? `choose one of ${connections.join(", ")}` : "declare it under connections"}`;

function configured(parsed: z.output<typeof commonOptions>, definition: SourceDefinition): ConfiguredSource {
  const { name, kind, role, gatedBy, unlisted = "block", onFailure, timeoutMs, ...options } = parsed;
  const create = (host: SourceHost) => definition.create(options, host);
  return { name, kind, role, gatedBy, unlisted, onFailure, timeoutMs, create };
}

/** The environment's PORT, HOST, WEB_CONCURRENCY, CACHE_CAPACITY, GLOBAL_CACHE_EXPIRY and LOG_LEVEL win over what the file says. */
function withEnvironment(raw: unknown, env: NodeJS.ProcessEnv, problems: Problem[]): unknown {
  const take = (variable: string, schema: z.ZodType): unknown => {
    const value = env[variable];
    if (!value) return undefined;
    const result = schema.safeParse(value);
    if (result.success) return value;
    problems.push({ place: "environment", path: variable, fault: `"${value}" does not fit; ${wayOut[variable]}` });
    return undefined;
  };
  const wayOut: Record<string, string> = {
    PORT: "set a number from 0 to 65535",
    WEB_CONCURRENCY: "set a number of processes from 1 to 512, or auto",
    CACHE_CAPACITY: "set a number of keys from 1 to 10000000",
    GLOBAL_CACHE_EXPIRY: "set a number of seconds from 1 to 86400",
    LOG_LEVEL: `set one of ${log.shape.level.unwrap().options.join(", ")}`,
  };
  if (!isEntry(raw)) return raw;
  const serving = {
    host: take("HOST", server.shape.host),
    port: take("PORT", server.shape.port),
    workers: take("WEB_CONCURRENCY", server.shape.workers),
  };
  const merged = (section: string, values: Entry) =>
    raw[section] === undefined || isEntry(raw[section]) ? { ...mapIn(raw, section), ...given(values) } : raw[section];
  return {
    ...raw,
    server: merged("server", serving),
    cache: merged("cache", {
      capacity: take("CACHE_CAPACITY", cache.shape.capacity),
      expirySeconds: take("GLOBAL_CACHE_EXPIRY", cache.shape.expirySeconds),
    }),
    log: merged("log", { level: take("LOG_LEVEL", log.shape.level) }),
  };
}

const given = (values: Entry): Entry =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));

const isEntry = (value: unknown): value is Entry =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function mapIn(raw: unknown, section: string): Entry {
  const value = isEntry(raw) ? raw[section] : undefined;
  return isEntry(value) ? value : {};
}

function listIn(raw: unknown, section: string): Entry[] {
  const value = isEntry(raw) ? raw[section] : undefined;
  return Array.isArray(value) ? value.map((entry) => (isEntry(entry) ? entry : {})) : [];
}

/** What the sources say of each other, checked on all of them, also on those with other faults. */
function checkRules(entries: readonly Entry[], complain: Complain): void {
  const named = new Set<unknown>([tokensSource]);
  const gates = entries.filter((entry) => entry["role"] === "gate").map((entry) => String(entry["name"]));
  for (const [index, entry] of entries.entries()) {
    const path = ["sources", index];
    const { name, role = "grant", gatedBy, onFailure, unlisted } = entry;
    if (name !== undefined && named.has(name)) {
      complain([...path, "name"], `the name "${name}" is taken; choose another`);
    }
    named.add(name);
    if (role !== "grant") {
      if (Array.isArray(gatedBy) && gatedBy.length > 0) {
        complain([...path, "gatedBy"], `a ${role} is not gated itself; name the gates on the grants`);
      }
      if (onFailure === "skip") {
        complain([...path, "onFailure"], `leaving a ${role} out would switch features on; use fail`);
      }
    } else if (Array.isArray(gatedBy)) {
      for (const [place, gate] of gatedBy.entries()) {
        if (gates.includes(gate)) continue;
        const choice = gates.length > 0 ? `choose one of ${gates.join(", ")}` : "give a source the role gate";
        complain([...path, "gatedBy", place], `there is no gate "${gate}"; ${choice}`);
      }
    }
    if (unlisted !== undefined && role !== "gate") {
      complain([...path, "unlisted"], `only a gate has features unlisted; leave it out, or make the role gate`);
    }
  }
}

/** What a connection leads to: two names for one URL or file are one store. */
function storeOf(raw: unknown, connection: string): string {
  const options = mapIn(mapIn(raw, "connections"), connection);
  return String(options["url"] ?? options["file"] ?? connection);
}

function checkPepper({ pepperFile }: TokenOptions, env: NodeJS.ProcessEnv, complain: Complain): void {
  const pepper = env["TIDEGATE_TOKEN_PEPPER"];
  if (!pepper && !pepperFile) {
    complain(["tokens", "layout"], "hashed tokens need a pepper; set TIDEGATE_TOKEN_PEPPER, or name a pepperFile");
  } else if (pepper && pepper.length < shortestPepper) {
    complain(
      ["tokens", "layout"],
      `TIDEGATE_TOKEN_PEPPER has less than ${shortestPepper} characters; set a longer one`,
    );
  }
}

/** A source must not read the keys of tokens: what a client types would tell which tokens there are. */
function checkTokenKeys(
  { layout, key }: TokenOptions,
  store: string,
  keys: readonly KeyInUse[],
  complain: Complain,
): void {
  const own = key ?? (layout === "plain" ? plainTemplate : hashedTemplate);
  const shape = KeyTemplate.parse(own.replace("{token}", "{userId}"));
  for (const { template, path } of keys.filter((each) => each.store === store)) {
    if (shape instanceof KeyTemplate && shape.overlaps(template)) {
      complain(path, `"${template.text}" can make the key of a token (${own}); begin it with a word of its own`);
    }
  }
}

/** Two different templates must not make the same key: a location would select a user's set. */
function checkOverlaps(keys: readonly KeyInUse[], complain: Complain): void {
  for (const [index, { store, template, path }] of keys.entries()) {
    const other = keys
      .slice(0, index)
      .find((earlier) => earlier.store === store && earlier.template.overlaps(template));
    if (!other || other.template.text === template.text) continue;
    const fault = `"${template.text}" and "${other.template.text}" (${pathText(other.path)}) can make the same key`;
    complain(path, `${fault}; begin one of them with a word of its own`);
  }
}
