import type { FeatureSets } from "../domain/feature-sets.ts";
import type { FeatureStore } from "../domain/feature-store.ts";
import type { TokenResolver } from "../domain/token-resolver.ts";
import type { TokenStore } from "../domain/token-store.ts";
import type { TokenKey } from "./token-key.ts";

/** A store we are connected to, and the ports that it implements. Disposing of it closes it. */
export interface Connection extends AsyncDisposable {
  readonly sets: FeatureSets;
  readonly changes: FeatureStore;
  tokenResolver(keyOf: TokenKey): TokenResolver;
  tokenStore(keyOf: TokenKey): TokenStore;
  /** Waits until the store is there; rejects with `SetupFailed` when it is not within two seconds. */
  connected(): Promise<void>;
  /** Resolves once the store has answered; rejects when it does not. */
  check(): Promise<void>;
  /** Whether the store holds nothing at all. */
  isEmpty(): Promise<boolean>;
}
