import type { DocumentStore } from "../domain/admin/document-store.ts";
import type { Rules } from "../domain/admin/editable-rules.ts";
import type { FeatureStore } from "../domain/admin/feature-store.ts";
import type { IdempotencyKeys } from "../domain/admin/idempotency-keys.ts";
import type { Lease } from "../domain/admin/lease.ts";
import type { Outbox } from "../domain/admin/outbox.ts";
import type { TokenStore } from "../domain/admin/token-store.ts";
import type { FeatureSets } from "../domain/evaluation/feature-sets.ts";
import type { ConfirmingFeed } from "../domain/evaluation/invalidation-feed.ts";
import type { StoredValues } from "../domain/evaluation/stored-values.ts";
import type { TokenResolver } from "../domain/evaluation/token-resolver.ts";
import type { ItemStore } from "../domain/feeds/item-store.ts";
import type { TokenKeyDerivation } from "./token-key.ts";

/** The sets of a store, to read and to change. */
export type Store = { readonly sets: FeatureSets; readonly changes: FeatureStore };

/** A store that is not on this machine's disk. */
export type RemoteStore = {
  /** Differs from that of every other store. Holds no secret. */
  readonly id: string;
};

/** What is changed in a store. */
export type Changeable = {
  /** The keys of sets: one stands for all that have its shape. */
  readonly sets: readonly string[];
  readonly collections: readonly string[];
  /** Left out where the store has no tokens. */
  readonly tokenKey?: TokenKeyDerivation;
};

/** How an empty store is treated at the start. */
export type EmptyStart = {
  /** Whether it is empty, and nobody has accepted that. */
  isDoubtful(): boolean;
  /** Rejects reads and changes until the store is accepted, by whatever process. */
  reject(): void;
};

/** A store we are connected to, and the ports that it implements. Disposing of it closes it. */
export interface Connection extends Store, AsyncDisposable {
  /** Reads names of places as sets, however the store keeps them. Left out if that is always as a set. */
  readonly places?: FeatureSets;
  /** Any keys, as strings and sets. */
  readonly values: StoredValues;
  readonly documents: DocumentStore;
  readonly items: ItemStore;
  /** The documents, as settings of features; read anew each time. */
  readonly settings: Rules;
  readonly claims: IdempotencyKeys;
  /** For what one of the processes on this store is to do. */
  lease(name: string): Lease;
  /** The records of the changes that were made in the store; to be disposed of by the caller. */
  outbox(): Outbox;
  tokenResolver(keyOf: TokenKeyDerivation): TokenResolver;
  tokenStore(keyOf: TokenKeyDerivation): TokenStore;
  /** Tells which keys change, of those that begin with one of the prefixes; to be disposed of by the caller. */
  feed(prefixes: readonly string[]): ConfirmingFeed & AsyncDisposable;
  /** Waits until the store is there; rejects with `SetupFailed` when it is not within two seconds. */
  connected(): Promise<void>;
  /** Calls the listener each time the store is connected to, or has become another. */
  onConnect(listener: () => void): void;
  /** Resolves once the store has answered; rejects when it does not. */
  check(): Promise<void>;
  /** What is written into the store to identify it; `undefined` where that can be neither read nor written. */
  identity(): Promise<string | undefined>;
  /** Does all that changes do, but write. Rejects as a change would: with a `StoreFault` where it needs an operator. */
  probe(changeable: Changeable): Promise<void>;
  /** Whether the store holds nothing at all, but for what Tidegate itself keeps there. */
  isEmpty(): Promise<boolean>;
  /** Believes the store from now on, also when it is empty. */
  accept(): Promise<void>;
  /** Of a store that is made where it is missing, so that an empty one may have lost its data; else left out. */
  readonly emptyStart?: EmptyStart;
  /** Of a store that may be away when we start, or have lost its data; left out where it cannot. */
  readonly remote?: RemoteStore;
}
