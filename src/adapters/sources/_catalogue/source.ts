import type { z } from "zod";
import type { DocumentStore } from "../../../domain/admin/document-store.ts";
import type { Rules } from "../../../domain/admin/editable-rules.ts";
import type { FeatureStore } from "../../../domain/admin/feature-store.ts";
import type { Lease } from "../../../domain/admin/lease.ts";
import type { SetIndex } from "../../../domain/admin/set-index.ts";
import type { FeatureResolver } from "../../../domain/evaluation/feature-resolver.ts";
import type { FeatureSets } from "../../../domain/evaluation/feature-sets.ts";
import type { KeyTemplate } from "../../../domain/evaluation/key-template.ts";
import type { ItemStore } from "../../../domain/feeds/item-store.ts";

/** Schema tools: what a definition builds its options schema from. A file outside this repository needs no import. */
export type SchemaTools = {
  readonly z: typeof z;
  /** The name of a configured connection. */
  readonly connection: z.ZodType<string, string>;
  /** A key template with context fields in braces, such as `location:{location}`. */
  readonly keyTemplate: z.ZodType<KeyTemplate, string>;
  /** The name of the collection that stores a source's rules. */
  readonly collection: z.ZodType<string, string>;
};

/** The parts of a store that a source can use: its reads, and the ports through which operators change it. */
export type SourceStore = {
  readonly sets: FeatureSets;
  readonly index: SetIndex;
  readonly changes: FeatureStore;
  readonly rules: Rules;
  readonly documents: DocumentStore;
  readonly items: ItemStore;
  /** A lease, for work that only one process on this store may do at a time. */
  readonly lease: (name: string) => Lease;
};

/** The services that Tidegate gives to a source. */
export type SourceHost = {
  /** The source's name in the configuration. */
  readonly name: string;
  /** The store of a connection. */
  readonly store: (connection: string) => SourceStore;
  /**
   * Registers background work, which begins once the service serves clients. The command line begins it only if the
   * source has no result without it, and waits at most 3 s for the first result. The work ends when the source is
   * disposed of.
   */
  readonly onServing: (begin: () => void) => void;
  /** Logs a warning: a fixed sentence, and variable fields. */
  readonly warn: (fields: Record<string, unknown>, sentence: string) => void;
};

/**
 * A kind of source, in one file.
 *
 * Lifecycle: the file is imported if the configuration names its kind. `options` is called once for the schema of the
 * kind's options; the common options, such as `name` and `role`, are added to it. `create` is called once for each
 * source with options that match the schema. The resolver is used until the service stops or loads another
 * configuration, then disposed of if it is disposable.
 *
 * `create` must not wait: a source that connects does so in the background, and rejects until it has a result.
 */
export type SourceDefinition<Options extends z.ZodObject = z.ZodObject> = {
  /** One sentence for the list of kinds. */
  readonly summary: string;
  readonly options: (words: SchemaTools) => Options;
  /** A valid example of the options, for the docs; a test parses it. */
  readonly example: z.input<Options>;
  /**
   * Schema of a rule of one feature, if the source stores rules ({@link ../../../domain/admin/editable-rules.ts}). Its
   * output is stored, and is parsed again on each read. Issues state the fault and the fix.
   */
  readonly rule?: (words: SchemaTools) => z.ZodType;
  /**
   * Whether results depend only on the options, the context and the sets that are read through the host, and creating a
   * resolver is cheap. If so, past instants are evaluated by another resolver on the sets of that time. Otherwise the
   * source has no history.
   */
  readonly deterministic?: true | ((options: z.output<Options>) => boolean);
  readonly create: (options: z.output<Options>, host: SourceHost) => FeatureResolver;
};

/** Infers the types of a definition from its schema. Returns the definition unchanged. */
export const defineSource = <Options extends z.ZodObject>(definition: SourceDefinition<Options>) => definition;
