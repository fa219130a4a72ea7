import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { PassThrough, Readable } from "node:stream";
import type { MetricObject } from "@prometheus-io/client";
import { stringify } from "yaml";
import { z } from "zod";
import packageJson from "../package.json" with { type: "json" };
import { commandNames } from "../src/adapters/cli/program.ts";
import { type HttpOptions, httpApp } from "../src/adapters/http/app.ts";
import { problemTypes } from "../src/adapters/http/problems/problem-types.ts";
import { builtIn, kinds } from "../src/adapters/sources/_catalogue/source-catalogue.ts";
import { base, commonOptions } from "../src/bootstrap/config/schema.ts";
import { schemaTools } from "../src/bootstrap/config/schema-tools.ts";
import { runCli } from "../src/bootstrap/runtime/run-cli.ts";
import { metricsOf } from "../src/infrastructure/metrics/metrics.ts";

type Property = {
  description?: string;
  type?: string;
  enum?: string[];
  default?: unknown;
  items?: Property & Partial<ObjectSchema>;
  minimum?: number;
  maximum?: number;
};
type ObjectSchema = { properties: Record<string, Property>; required?: string[] };

const jsonSchema = (schema: z.ZodType) => z.toJSONSchema(schema, { target: "draft-07", io: "input" });
const notice = "<!-- Written by `make docs`. Change what it is made from instead. -->\n";

const typeOf = ({ type, enum: values, items, minimum, maximum }: Property): string => {
  if (values) return values.map((value) => `\`${value}\``).join(" or ");
  if (type === "array") return `list of ${items?.type ?? "values"}`;
  if (minimum !== undefined && maximum !== undefined) return `${type}, ${minimum} to ${maximum}`;
  return type === "object" ? "map" : (type ?? "text");
};

const optionTable = (schema: z.ZodType): string => tableOf(jsonSchema(schema) as ObjectSchema);

/** The fields of a rule, and those of the items in its lists; empty if the kind has no rules. */
function ruleText(schema: z.ZodType | undefined): string {
  if (!schema) return "";
  const rule = jsonSchema(schema) as ObjectSchema;
  const lists = Object.entries(rule.properties).flatMap(([name, { items }]) =>
    items?.properties ? [`Each of its \`${name}\`:\n\n${tableOf({ ...items, properties: items.properties })}`] : [],
  );
  return `\nFields of a rule:\n\n${[tableOf(rule), ...lists].join("\n\n")}\n`;
}

const segmentText =
  "\nNames that start with `$` are segments: rules that the rules of features refer to without the `$`, as in `{ $ref: adults }`.\n";

function tableOf({ properties, required = [] }: ObjectSchema): string {
  const rows = Object.entries(properties).map(([name, property]) => {
    const fallback =
      property.default === undefined
        ? required.includes(name)
          ? "required"
          : ""
        : `\`${JSON.stringify(property.default)}\``;
    return `| \`${name}\` | ${typeOf(property)} | ${fallback} | ${property.description ?? ""} |`;
  });
  return ["| option | type | default | meaning |", "| --- | --- | --- | --- |", ...rows].join("\n");
}

/** The page about the kinds of source, made from their definitions. */
export async function sourcesPage(): Promise<string> {
  const sections = await Promise.all(
    kinds.map(async (kind) => {
      const { summary, options, example, editable } = await builtIn(kind);
      const words = schemaTools(undefined);
      const yaml = stringify({ sources: [{ name: "example", kind, ...example }] });
      return `## \`${kind}\`\n\n${summary}\n\n${optionTable(options(words))}\n\n\`\`\`yaml\n${yaml}\`\`\`\n${ruleText(editable && "rules" in editable ? editable.rules(words) : undefined)}${editable && "segments" in editable ? segmentText : ""}`;
    }),
  );
  return `${notice}
# Kinds of source

A source is an entry of \`sources\` in the configuration. \`kind\` names one of the kinds below, or a file of your own
([adding a source](../tutorials/first-source.md)).

## Options of every source

${optionTable(commonOptions.extend({ kind: z.string().describe("One of the kinds below, or a file as in `./my-source.ts`.") }))}

${sections.join("\n")}`;
}

/** The page about problems, made from their catalogue. */
export function errorsPage(): string {
  const rows = Object.entries(problemTypes).map(
    ([code, { status, meaning }]) => `| \`${code}\` | ${status} | ${meaning.replaceAll("|", "\\|")} |`,
  );
  return `${notice}
# Problems

Every failure is answered with \`application/problem+json\` (RFC 9457): \`type\`, \`title\`, \`status\` and \`detail\`, our
\`code\`, which never changes its meaning, and the \`requestId\` under which the log has
internal errors, and every request where \`log.requests\` is on. The members \`key\` and \`message\`
are for clients of the service that Tidegate takes over from.

| code | status | meaning, and the way out |
| --- | --- | --- |
${rows.join("\n")}
`;
}

/** The page about metrics, generated from the registry. */
export function metricsPage(): string {
  const nothing = {
    requests: () => [],
    durations: () => [],
    durationBuckets: [],
    evaluations: {},
    caches: [],
    invalidationFeeds: new Map(),
    invalidations: new Map(),
    sources: [],
    failures: new Map(),
    backlogs: () => new Map(),
    deadLetters: () => 0,
    commandDurations: new Map(),
    feeds: () => new Map(),
    streams: () => ({ open: {}, notified: {}, refused: {}, cut: 0 }),
    unleashReports: {},
    usage: () => ({ recorded: 0, dropped: 0 }),
    now: Date.now,
    monotonic: () => performance.now(),
  };
  const rows = metricsOf(nothing)
    .getMetricsAsArray()
    .map(
      // The labels are in the metric, and not in its type.
      ({ name, type, help, labelNames }: MetricObject & { labelNames?: string[] }) =>
        `| \`${name}\` | ${type} | ${(labelNames ?? []).map((label) => `\`${label}\``).join(", ")} | ${help} |`,
    );
  return `${notice}
# Metrics

\`GET /metrics\` returns the Prometheus text format. It requires an operator credential with scope \`viewer\`, as Bearer
token or Basic password.

Values are sums over all workers, unless the description says otherwise. The last counters of a worker that exits stay
in the sums, so counters never decrease. If a worker does not respond within 1 s, its last counters stay in the sums,
its gauges are omitted, and \`tidegate_workers\` is lower than configured. A scrape that reaches a hung worker fails.

| Metric | Type | Labels | Description |
| --- | --- | --- | --- |
${rows.join("\n")}

\`@prometheus-io/client\` adds the metrics \`process_*\` and \`nodejs_*\`: CPU, memory, event loop lag, heap and garbage
collection.
`;
}

/** A schema inside another, as JSON Schema; the options of a union are alternatives. */
type Nested = Property & {
  properties?: Record<string, Nested>;
  additionalProperties?: Nested | boolean;
  anyOf?: Nested[];
};

/** The options below a path, each with its own row. `<name>` stands for any name. */
function optionRows(schema: Nested, path: string): string[] {
  const inner = [schema, ...(schema.anyOf ?? [])];
  const properties = inner.flatMap((each) => Object.entries(each.properties ?? {}));
  const any = inner.flatMap(({ additionalProperties }) =>
    typeof additionalProperties === "object" && additionalProperties.properties ? [additionalProperties] : [],
  );
  if (path.split(".").length > 4) return [];
  return [
    ...properties.flatMap(([name, property]) => [
      `| \`${path}${name}\` | ${property.properties || property.anyOf ? "map" : typeOf(property)} | ${defaultOf(property)} | ${property.description ?? ""} |`,
      ...optionRows(property, `${path}${name}.`),
    ]),
    ...any.flatMap((each) => optionRows(each, `${path}<name>.`)),
  ];
}

const defaultOf = ({ default: value }: Property): string =>
  value === undefined || typeof value === "object" ? "" : `\`${JSON.stringify(value)}\``;

/** The page about the configuration, generated from its schema. */
export function configurationPage(): string {
  const schema = jsonSchema(base) as Nested;
  const sections = Object.entries(schema.properties ?? {}).filter(([name]) => name !== "sources");
  const texts = sections.map(([name, section]) => {
    const rows = optionRows(section, `${name}.`);
    const table = ["| Option | Type | Default | Meaning |", "|---|---|---|---|", ...rows].join("\n");
    return `## \`${name}\`\n\n${section.description ?? ""}\n\n${rows.length > 0 ? `${table}\n` : ""}`;
  });
  return `${notice}
# Configuration

A YAML file declares what the service reads and serves. \`TIDEGATE_CONFIG\` or \`--config\` names it. Without either,
it is \`config/tidegate.yaml\` if Redis URLs are set, otherwise \`config/embedded.yaml\`. \`\${NAME}\` stands for an
environment variable, \`\${NAME:-default}\` for one with a default. \`config/tidegate.schema.json\` is its JSON Schema,
for editors. \`npx tidegate validate\` reports every fault with line and column.

[Kinds of sources](sources.md) describes the section \`sources\`.

## Environment

The service and the command line also read \`.env\` in the working directory. The environment overrides the file.

| variable | default | meaning |
| --- | --- | --- |
| \`PORT\`, \`HOST\` | \`5000\`, and the configuration's | address and port |
| \`REDIS_USERS_URL\`, \`REDIS_FEATURES_URL\` | | Redis of tokens and of features; if set, \`config/tidegate.yaml\` is the default configuration, otherwise \`config/embedded.yaml\` |
| \`TIDEGATE_CONFIG\` | | configuration file |
| \`TIDEGATE_DATA\` | \`data\` in a clone; for the npm package, \`tidegate\` in the user's data folder | folder of the embedded store and the snapshot |
| \`DATABASE_URL\` | | PostgreSQL database of the event log, \`postgres://user:password@host:port/database\`; default: a file in the data folder |
| \`TIDEGATE_ENVIRONMENT\` | \`production\` | \`environment\` of the events of this service |
| \`TIDEGATE_TOKEN_PEPPER\` | | key of token digests, for the layout \`hashed\` and the snapshot |
| \`TIDEGATE_ADMIN_TOKEN\` | \`data/admin-token\`, unless on Redis | first operator credential, 16 characters or more |
| \`TIDEGATE_SOURCE_FOLDERS\` | | folders that may contain your own source files, separated by \`:\` |
| \`WEB_CONCURRENCY\` | the configuration's | number of worker processes; \`auto\` (the default on Redis) is one per core |
| \`CACHE_CAPACITY\` | \`100000\` | maximum number of cached keys per store |
| \`GLOBAL_CACHE_EXPIRY\` | \`600\` | seconds after which an unchanged key is read again |
| \`LOG_LEVEL\` | \`info\` | level of the JSON log on standard error |

${texts.join("\n").trimEnd()}
`;
}

type Operation = {
  readonly summary?: string;
  readonly tags?: readonly string[];
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[];
};

/** Who may call a route. */
function accessOf({ security = [] }: Operation): string {
  const scope = security.flatMap(({ admin = [] }) => admin)[0];
  if (security.length === 0 || security.some((each) => Object.keys(each).length === 0)) return "everyone";
  return scope === undefined ? "clients" : `\`${scope}\``;
}

type Document = { readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>> };

/** The OpenAPI document of a service with all routes. */
export async function openApiDocument(): Promise<Document> {
  const app = httpApp({
    logRequests: false,
    corsOrigins: [],
    callContext: { attributes: { parameters: [] } },
    unleash: { readDocument: () => undefined },
    version: packageJson.version,
    basePath: "",
  } as unknown as HttpOptions);
  return (await (await app.request("/openapi.json")).json()) as Document;
}

/** The page about the HTTP API, generated from its OpenAPI document. */
export async function httpPage(): Promise<string> {
  const { paths } = await openApiDocument();
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  const byTag = Map.groupBy(operations, ({ operation }) => operation.tags?.[0] ?? "Other");
  const texts = [...byTag].map(([tag, all]) => {
    const rows = all.map(
      ({ path, method, operation }) =>
        `| \`${method.toUpperCase()} ${path}\` | ${operation.summary ?? ""} | ${accessOf(operation)} |`,
    );
    return `## ${tag}\n\n| Route | Does | Who |\n|---|---|---|\n${rows.join("\n")}\n`;
  });
  return `${notice}
# HTTP API

The service documents each route with its parameters and bodies at \`/docs\`, and as OpenAPI 3.1 at \`/openapi.json\`.
"Who" is the scope that an operator's credential needs at least. [Problems](errors.md) lists the errors.
The routes for Unleash exist only with \`compatibility.unleash\`.

${texts.join("\n").trimEnd()}
`;
}

/** The JSON Schema of a configuration file, for editors. */
export async function configurationSchema(): Promise<string> {
  const sources = await Promise.all(
    kinds.map(async (kind) => {
      const { summary, options } = await builtIn(kind);
      const { shape } = options(schemaTools(undefined));
      return z.strictObject({ ...commonOptions.shape, kind: z.literal(kind), ...shape }).describe(summary);
    }),
  );
  const own = z
    .looseObject({ ...commonOptions.shape, kind: z.string().regex(/^\.{1,2}\//) })
    .describe("A source of your own.");
  const whole = base.extend({
    sources: z
      .array(z.union([...sources, own]))
      .min(1)
      .describe("What features come from."),
  });
  const schema = z.toJSONSchema(whole, { target: "draft-07", io: "input", override: allowVariables });
  return `${JSON.stringify({ title: "A configuration of Tidegate", ...schema }, null, 2)}\n`;
}

/** Lets `${VARIABLE}` stand for numbers and for texts of a certain form. */
function allowVariables({ jsonSchema }: { jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  const filledIn = "\\$\\{";
  if (jsonSchema.pattern) jsonSchema.pattern = `(${jsonSchema.pattern})|${filledIn}`;
  if (jsonSchema.type === "integer") Object.assign(jsonSchema, { type: ["integer", "string"], pattern: filledIn });
}

/** The page about the command line, made from the help of each command. */
export async function cliPage(): Promise<string> {
  const sections = await Promise.all(
    commandNames.map(async (name) => {
      const help = await helpOf(name);
      const verbs = subcommandsIn(help);
      const texts = await Promise.all(verbs.map((verb) => helpOf(name, verb)));
      return `## \`${name}\`\n\n${(texts.length > 0 ? texts : [help]).map(blockOf).join("\n")}`;
    }),
  );
  return `${notice}
# Command line

In a clone the program is \`npx tidegate\`, from the npm package \`tidegate\`.

**Configuration.** Commands work on the stores of the configuration that the service uses: the file of \`--config\`,
otherwise of the environment variable \`TIDEGATE_CONFIG\`, otherwise the default. Set the variable once:
\`export TIDEGATE_CONFIG=my.yaml\`. \`npx tidegate --help\` and errors name the file in use.

**Output.** Results go to standard output, notes and errors to standard error. With \`--json\` a result is one JSON
document on one line, and a list is one document per item. Members are only added in later versions.
\`export\` and \`events export\` always write one document per line.

| Exit code | Meaning |
| --- | --- |
| 0 | success |
| 1 | failure: the change is rejected, something is not found, or a store does not respond. A retry may succeed |
| 2 | wrong command line: unknown command or option, missing or contradictory arguments |
| 78 | an operator has to fix something first: the version of Node.js, the configuration or a file that it names, the data \
folder, or the address to listen on |

${blockOf(await helpOf())}
${sections.join("\n")}`;
}

const blockOf = (help: string): string =>
  `\`\`\`text\n${help.replace(/\nGlobal Options:\n( .*\n)+|\nConfiguration in use: .*\n/, "")}\`\`\`\n`;

const subcommandsIn = (help: string): readonly string[] =>
  [...(/\nCommands:\n((?: .*\n)+)/.exec(help)?.[1]?.matchAll(/^ {2}(\w+)/gm) ?? [])].map(([, name = ""]) => name);

/** The help of a command, with the default configuration. */
async function helpOf(...command: readonly string[]): Promise<string> {
  const stdout = new PassThrough();
  const standard = { env: {}, stdin: Readable.from([]), stdout, stderr: new PassThrough() };
  await runCli([...command, "--help"], standard);
  return stdout
    .end()
    .toArray()
    .then((chunks) => chunks.join(""));
}

/** Every generated file, by its path from the root. */
export const generated: Readonly<Record<string, () => string | Promise<string>>> = {
  "docs/reference/sources.md": sourcesPage,
  "docs/reference/errors.md": errorsPage,
  "docs/reference/metrics.md": metricsPage,
  "docs/reference/configuration.md": configurationPage,
  "docs/reference/http.md": httpPage,
  "docs/reference/cli.md": cliPage,
  "config/tidegate.schema.json": configurationSchema,
};

if (import.meta.main) {
  for (const [file, content] of Object.entries(generated)) {
    writeFileSync(resolve(import.meta.dirname, "..", file), await content());
  }
}
