import type { ChangeFeed } from "../domain/change-feed.ts";
import type { FeatureSets } from "../domain/feature-sets.ts";
import type { FeatureStore } from "../domain/feature-store.ts";
import type { TokenResolver } from "../domain/token-resolver.ts";
import type { TokenStore } from "../domain/token-store.ts";
import type { TokenKey } from "./token-key.ts";

/** The sets of a store, to read and to change. */
export type Store = { readonly sets: FeatureSets; readonly changes: FeatureStore };

/** A store we are connected to, and the ports that it implements. Disposing of it closes it. */
export interface Connection extends Store, AsyncDisposable {
  tokenResolver(keyOf: TokenKey): TokenResolver;
  tokenStore(keyOf: TokenKey): TokenStore;
  /** Tells which keys change, of those that begin with one of the prefixes; to be disposed of by the caller. */
  feed(prefixes: readonly string[]): ChangeFeed & AsyncDisposable;
  /** Waits until the store is there; rejects with `SetupFailed` when it is not within two seconds. */
  connected(): Promise<void>;
  /** Resolves once the store has answered; rejects when it does not. */
  check(): Promise<void>;
  /** Whether the store holds nothing at all. */
  isEmpty(): Promise<boolean>;
}
