import type { DocumentStore } from "./document-store.ts";
import type { FeatureKey, Json } from "./feature.ts";
import type { Held } from "./held.ts";

/** The settings of a collection, by feature, as somebody wrote them. The same map as long as none of them changes. */
export type SettingsByFeature = ReadonlyMap<FeatureKey, Json>;

/** Port: reads what sources keep of single features: collections of documents ({@link ./document-store.ts}) by feature. */
export interface Settings {
  /** At once where it is remembered. Rejects when it cannot be read, and nothing that is remembered may be served instead. */
  read(collection: string): Held<SettingsByFeature> | Promise<Held<SettingsByFeature>>;
}

/** What a source keeps of single features, in one collection of one store: what it reads and people change. */
export type StoredSettings = {
  readonly collection: string;
  /** The configured name of the connection. */
  readonly connection: string;
  readonly settings: Settings;
  readonly documents: DocumentStore;
};
