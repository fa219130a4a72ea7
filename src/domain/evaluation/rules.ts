import type { CachedRead } from "./cached-read.ts";
import type { FeatureKey, Json } from "./feature.ts";

/** The rules of a collection, by feature, as they are stored. The same map as long as no rule changes. */
export type RulesByFeature = ReadonlyMap<FeatureKey, Json>;

/** Port: reads the rules of single features, from collections of documents ({@link ./document-store.ts}). */
export interface Rules {
  /**
   * Returns synchronously if the rules are cached. Rejects if they cannot be read; the caller must not serve an older
   * value instead.
   */
  read(collection: string): CachedRead<RulesByFeature> | Promise<CachedRead<RulesByFeature>>;
}
