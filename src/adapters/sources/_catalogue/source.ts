import type { z } from "zod";
import type { CachedRead } from "../../../domain/evaluation/cached-read.ts";
import type { EvaluationContext } from "../../../domain/evaluation/evaluation-context.ts";
import type { FeatureResolver } from "../../../domain/evaluation/feature-resolver.ts";
import type { FeatureSet } from "../../../domain/evaluation/feature-sets.ts";
import type { RulesByFeature } from "../../../domain/evaluation/rules.ts";

/** A parsed key template. */
export type Keys = {
  readonly fields: readonly ("userId" | "location")[];
  /** The keys for a context, one for each location; none if the context lacks a field. */
  keysFor(context: EvaluationContext): readonly string[];
};

/** Schema tools for the options of a definition. A file outside this repository needs no import. */
export type SchemaTools = {
  readonly z: typeof z;
  /** The name of a configured connection. */
  readonly connection: z.ZodType<string, string>;
  /** A key template with context fields in braces, such as `location:{location}`. */
  readonly keyTemplate: z.ZodType<Keys, string>;
  /** The name of the collection that stores a source's rules. */
  readonly collection: z.ZodType<string, string>;
};

/** Returns synchronously if the value is cached. Rejects if it cannot be read. */
export type Read<T> = CachedRead<T> | Promise<CachedRead<T>>;

/** A polled document: an http or https URL without credentials, and the time between polls, in milliseconds, ±10 %. */
export type Polling = {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly everyMs: number;
};

/**
 * The services that Tidegate gives to a source. Tidegate owns the stores: a source only reads what its definition
 * declares. Each read belongs into the `dependencies` of the result that is made from it.
 */
export type SourceHost = {
  /** The source's name in the configuration. */
  readonly name: string;
  /** Reads one of the sets that `editable.set` declares, by its key. */
  readonly readSet: (key: string) => Read<FeatureSet>;
  /** Reads the rules that `editable.rules` declares. The value is the same map as long as no rule changes. */
  readonly readRules: () => Read<RulesByFeature>;
  /**
   * Polls a file of at most 10 MiB every 250 ms; a relative path is relative to the configuration file. `parse` throws
   * for invalid text. Returns a function that reads the last valid content, and throws before there is any. While the
   * file is missing or invalid, the content is stale, and operators see why. Polling ends with the source.
   */
  readonly pollFile: <T>(file: string, parse: (text: string) => T) => () => CachedRead<T>;
  /** Polls a URL, as `pollFile` a file. Conditional requests, 10 s each, without redirects. */
  readonly pollUrl: <T>(polling: Polling, parse: (text: string) => T) => () => CachedRead<T>;
  /**
   * Reports the faults in the source's data to operators: data that cannot be read, or features that cannot be
   * evaluated and are off, each with its feature. Replaces the faults reported before. New ones are logged.
   */
  readonly report: (faults: readonly string[]) => void;
  /** Logs a warning: a fixed sentence, and variable fields. */
  readonly warn: (fields: Record<string, unknown>, sentence: string) => void;
};

/** The data of a source that operators can change, in the store of its option `connection`. None if it is absent. */
export type Editable<Option extends string = string> =
  /** The sets of a key template. Names the options with the template and with the maximum number of members. */
  | { readonly set: Option; readonly limit: Option }
  /**
   * The rules of single features, in the collection that the option `collection` names. The schema's output is stored,
   * and is parsed again on each read. Issues state the fault and the fix.
   */
  | {
      readonly rules: (tools: SchemaTools) => z.ZodType;
      /**
       * The schema of segments: rules whose names start with `$`, which the rules of features share. Without it, such
       * names are features.
       */
      readonly segments?: (tools: SchemaTools) => z.ZodType;
    };

/**
 * A kind of source, in one file.
 *
 * Lifecycle: the file is imported if the configuration names its kind. `options` is called once for the schema of the
 * kind's options; the common options, such as `name` and `role`, are added to it. `create` is called once for each
 * source with options that match the schema. The resolver is used until the service stops or loads another
 * configuration, then disposed of.
 *
 * `create` must not wait: a source that connects does so in the background, and rejects until it has a result.
 */
export type SourceDefinition<Options extends z.ZodObject = z.ZodObject> = {
  /** One sentence for the list of kinds. */
  readonly summary: string;
  readonly options: (tools: SchemaTools) => Options;
  /** A valid example of the options, for the docs; a test parses it. */
  readonly example: z.input<Options>;
  readonly editable?: Editable<keyof z.output<Options> & string>;
  /**
   * Whether results depend only on the options, the context and the reads of the host, and creating a resolver is
   * cheap. If so, past instants are evaluated by another resolver on the reads of that time. Otherwise the source has
   * no history.
   */
  readonly deterministic?: true | ((options: z.output<Options>) => boolean);
  readonly create: (options: z.output<Options>, host: SourceHost) => FeatureResolver;
};

/** Infers the types of a definition from its schema. Returns the definition unchanged. */
export const defineSource = <Options extends z.ZodObject>(definition: SourceDefinition<Options>) => definition;
