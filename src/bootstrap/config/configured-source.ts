import { z } from "zod";
import type { FeedHost } from "../../adapters/sources/_catalogue/feed-definition.ts";
import type { Editable, SchemaTools } from "../../adapters/sources/_catalogue/source.ts";
import { isFile, type Kind } from "../../adapters/sources/_catalogue/source-catalogue.ts";
import type { RuleSchemas } from "../../adapters/sources/_rules/rule-check.ts";
import { errorMessage } from "../../domain/error-message.ts";
import type { FeatureResolver } from "../../domain/evaluation/feature-resolver.ts";
import type { KeyTemplate } from "../../domain/evaluation/key-template.ts";
import type { Source } from "../../domain/evaluation/source.ts";
import type { FeedToPoll } from "../../domain/feeds/remote-feed.ts";
import { commonOptions } from "./schema.ts";

/** A configured source. `create` makes its resolver. */
export type ConfiguredSource = Omit<Source, "resolver"> & {
  readonly kind: string;
  /** The display name for operators, if there is one. */
  readonly label: string | undefined;
  /** Whether a resolver over the sets of a past time returns the result of that time. */
  readonly isReplayable: boolean;
  /** Whether its kind is a file from outside this repository, whose `varyBy` no test checks. */
  readonly isOutside: boolean;
  readonly editable: EditableLocation | undefined;
  /** The file or URL that it reads, if any. Contains no secret. */
  readonly reads: string | undefined;
  readonly feed: ConfiguredFeed | undefined;
  readonly create: (host: FeedHost) => FeatureResolver;
};

/** The feed whose items a source reads, and the connection that stores them. */
export type ConfiguredFeed = { readonly connection: string; readonly create: () => FeedToPoll };

/** The data of a source that operators can change, and where it is stored. */
export type EditableLocation = { readonly connection: string } & (
  | { readonly key: KeyTemplate; readonly limit: number }
  | { readonly collection: string; readonly schemas: RuleSchemas }
);

type Schemas = { readonly options: z.ZodObject; readonly rules: RuleSchemas | undefined };

export function schemasOf(definition: Kind, tools: SchemaTools): Schemas | string {
  try {
    const options = definition.options(tools);
    if (!(options instanceof z.ZodObject)) return "has invalid options (expected z.strictObject)";
    const missing = neededBy(definition).filter((option) => !Object.hasOwn(options.shape, option));
    if (missing.length > 0) return `lacks the option ${missing.join(", ")}, which its definition names`;
    const { editable } = definition;
    const rules =
      editable && "rules" in editable
        ? { rule: editable.rules(tools), segment: editable.segments?.(tools) }
        : undefined;
    return { options, rules };
  } catch (cause) {
    return `cannot create its options: ${errorMessage(cause)}`;
  }
}

/** The options that a definition relies on. */
function neededBy(definition: Kind): readonly string[] {
  const { editable } = definition;
  const connection = editable || "feed" in definition ? ["connection"] : [];
  return [...connection, ...(editable ? optionsOf(editable) : [])];
}

const optionsOf = (editable: Editable): readonly string[] =>
  "set" in editable ? [editable.set, editable.limit] : ["collection"];

/** Adds the common options to the schema of a kind, and keeps the kind's checks across its options. */
export function withCommonOptions({ shape, def }: z.ZodObject) {
  const checks = (def.checks ?? []) as z.core.$ZodCheck<unknown>[];
  return z.strictObject({ ...commonOptions.shape, ...shape }).check(...checks);
}

export function configured(
  parsed: z.output<typeof commonOptions>,
  definition: Kind,
  rules: RuleSchemas | undefined,
): ConfiguredSource {
  const { name, label, kind, role, gatedBy, default: byDefault = "deny", onFailure, timeoutMs, ...options } = parsed;
  const { deterministic: replayable } = definition;
  const feed = "feed" in definition ? definition.feed : undefined;
  return {
    ...{ name, label, kind, role, gatedBy, default: byDefault, onFailure, timeoutMs },
    isReplayable: typeof replayable === "function" ? replayable(options) : replayable === true,
    isOutside: isFile(kind),
    editable: editableLocation(options, definition.editable, rules),
    reads: readFrom(options),
    feed: feed && { connection: connectionIn(options), create: () => feed(options, name) },
    create: (host) => definition.create(options, host),
  };
}

const connectionIn = (options: Readonly<Record<string, unknown>>): string => String(options["connection"]);

function editableLocation(
  options: Readonly<Record<string, unknown>>,
  editable: Editable | undefined,
  rules: RuleSchemas | undefined,
): EditableLocation | undefined {
  if (!editable || options["connection"] === undefined) return undefined;
  const connection = connectionIn(options);
  if (rules) return { connection, collection: String(options["collection"]), schemas: rules };
  if (!("set" in editable)) return undefined;
  return { connection, key: options[editable.set] as KeyTemplate, limit: Number(options[editable.limit]) };
}

/** The file or the URL in the options of a source. A URL is shortened to its path: its query may contain a secret. */
function readFrom({ url, file, document }: Readonly<Record<string, unknown>>): string | undefined {
  if (url === undefined && document !== undefined) return readFrom(Object(document));
  if (url === undefined) return file === undefined ? undefined : String(file);
  const { origin, pathname } = new URL(String(url));
  return `${origin}${pathname}`;
}
