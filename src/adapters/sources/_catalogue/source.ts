import type { z } from "zod";
import type { DocumentStore } from "../../../domain/admin/document-store.ts";
import type { Rules } from "../../../domain/admin/editable-rules.ts";
import type { FeatureStore } from "../../../domain/admin/feature-store.ts";
import type { Lease } from "../../../domain/admin/lease.ts";
import type { FeatureResolver } from "../../../domain/evaluation/feature-resolver.ts";
import type { FeatureSets } from "../../../domain/evaluation/feature-sets.ts";
import type { KeyTemplate } from "../../../domain/evaluation/key-template.ts";
import type { ItemStore } from "../../../domain/feeds/item-store.ts";

/** What a definition builds its options schema from; a file outside this repository needs no import. */
export type SchemaTools = {
  readonly z: typeof z;
  /** The name of a connection that the configuration declares. */
  readonly connection: z.ZodType<string, string>;
  /** A key with places for fields of the context, as in `location:{location}`. */
  readonly keyTemplate: z.ZodType<KeyTemplate, string>;
  /** The collection of documents in which a source keeps its settings of single features. */
  readonly collection: z.ZodType<string, string>;
};

/** A store, as far as a source may use it: what it reads, and what people change it through. */
export type SourceStore = {
  readonly sets: FeatureSets;
  readonly changes: FeatureStore;
  readonly rules: Rules;
  readonly documents: DocumentStore;
  readonly items: ItemStore;
  /** For what one of the processes on this store is to do. */
  readonly lease: (name: string) => Lease;
};

/** What Tidegate lends to a source. */
export type SourceHost = {
  /** The configured name of the source. */
  readonly name: string;
  /** The store behind a connection. */
  readonly store: (connection: string) => SourceStore;
  /**
   * Calls it once clients are served, for what is to be done in the background. At the command line it is called only where the source has
   * no result without it; commands wait up to three seconds for the first. It ends when the source is disposed of.
   */
  readonly onServing: (begin: () => void) => void;
  /** Writes a warning to the log: a fixed sentence, and what varies beside it. */
  readonly warn: (fields: Record<string, unknown>, sentence: string) => void;
};

/**
 * A kind of source, in one file. Its life: the file is imported because some YAML names it; `options`
 * is asked once for the schema of what may stand there, beside `name`, `role` and the other options
 * that all sources have; the YAML is checked against it; `create` is called once for each source of the
 * kind, and what it answers is asked until the service stops or has loaded another configuration, and then disposed
 * of, where it can be. `create` must not wait for anything: a source that connects does so in the background and
 * rejects until it can tell.
 */
export type SourceDefinition<Options extends z.ZodObject = z.ZodObject> = {
  /** One sentence for the list of kinds. */
  readonly summary: string;
  readonly options: (words: SchemaTools) => Options;
  /** Options that work, for the docs; a test parses them. */
  readonly example: z.input<Options>;
  /**
   * What people may write down for one feature, where the source keeps something of each ({@link ../../../domain/admin/editable-rules.ts}); what it
   * answers with is what is kept. Issues say what is wrong and what to do. A setting that was kept is parsed again when it is read.
   */
  readonly rule?: (words: SchemaTools) => z.ZodType;
  /**
   * That its answers are a function of its options, the context and the sets that it reads through the host, and that making one costs
   * nothing. Then it can be asked about a past moment: another one is made over the sets of then. Without that
   * word nobody knows what it said.
   */
  readonly deterministic?: true | ((options: z.output<Options>) => boolean);
  readonly create: (options: z.output<Options>, host: SourceHost) => FeatureResolver;
};

/** Types a definition by its own schema. It only passes the definition through. */
export const defineSource = <Options extends z.ZodObject>(definition: SourceDefinition<Options>) => definition;
