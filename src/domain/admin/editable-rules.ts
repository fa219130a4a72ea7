import type { CachedRead } from "../evaluation/cached-read.ts";
import type { FeatureKey, Json } from "../evaluation/feature.ts";
import type { DocumentStore } from "./document-store.ts";

/** The settings of a collection, by feature, as somebody wrote them. The same map as long as none of them changes. */
export type RulesByFeature = ReadonlyMap<FeatureKey, Json>;

/** Port: reads what sources keep of single features: collections of documents ({@link ./document-store.ts}) by feature. */
export interface Rules {
  /** At once where it is remembered. Rejects when it cannot be read, and nothing that is remembered may be served instead. */
  read(collection: string): CachedRead<RulesByFeature> | Promise<CachedRead<RulesByFeature>>;
}

/** What a source keeps of single features, in one collection of one store: what it reads and people change. */
export type EditableRules = {
  readonly collection: string;
  /** The configured name of the connection. */
  readonly connection: string;
  readonly rules: Rules;
  readonly documents: DocumentStore;
};
