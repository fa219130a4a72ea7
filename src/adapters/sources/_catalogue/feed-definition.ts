import type { z } from "zod";
import type { FeatureResolver } from "../../../domain/evaluation/feature-resolver.ts";
import type { KnownItem } from "../../../domain/feeds/item.ts";
import type { FeedToPoll } from "../../../domain/feeds/remote-feed.ts";
import type { Read, SourceDefinition, SourceHost } from "./source.ts";

/** The services for a source with a feed. */
export type FeedHost = SourceHost & {
  /** Reads the items of the feed, sorted by start. The same read as long as no item changes. */
  readonly readItems: () => Read<readonly KnownItem[]>;
};

/**
 * A kind of source that reads the items of a feed. Tidegate polls the feed, and stores the items in the store that the
 * option `connection` names.
 */
export type FeedDefinition<Options extends z.ZodObject = z.ZodObject> = Omit<SourceDefinition<Options>, "create"> & {
  readonly feed: (options: z.output<Options>, name: string) => FeedToPoll;
  readonly create: (options: z.output<Options>, host: FeedHost) => FeatureResolver;
};

/** Infers the types of a definition from its schema. Returns the definition unchanged. */
export const defineFeed = <Options extends z.ZodObject>(definition: FeedDefinition<Options>) => definition;
