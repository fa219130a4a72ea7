import type { DocumentStore } from "../domain/admin/document-store.ts";
import type { FeatureStore } from "../domain/admin/feature-store.ts";
import type { IdempotencyKeys } from "../domain/admin/idempotency-keys.ts";
import type { Secrets } from "../domain/admin/secrets.ts";
import type { SetIndex } from "../domain/admin/set-index.ts";
import type { StoredValues } from "../domain/admin/stored-values.ts";
import type { TokenStore } from "../domain/admin/token-store.ts";
import type { FeatureSets } from "../domain/evaluation/feature-sets.ts";
import type { ConfirmingFeed } from "../domain/evaluation/invalidation-feed.ts";
import type { Rules } from "../domain/evaluation/rules.ts";
import type { TokenResolver } from "../domain/evaluation/token-resolver.ts";
import type { Lease } from "../domain/events/lease.ts";
import type { Outbox } from "../domain/events/outbox.ts";
import type { SetRecorder } from "../domain/events/set-recorder.ts";
import type { FeatureRegister } from "../domain/features/feature-register.ts";
import type { ItemStore } from "../domain/feeds/item-store.ts";
import type { TokenKeyDerivation } from "./token-key.ts";

/** A store that is not on the disk of this machine. */
export type RemoteStore = {
  /** Unique per store. Contains no secret. */
  readonly id: string;
};

/** The sets and tokens that may be changed in a store. */
export type Changeable = {
  /** Set keys. Each represents all keys of its template. */
  readonly sets: readonly string[];
  readonly collections: readonly string[];
  /** Absent if the store has no tokens. */
  readonly tokenKey?: TokenKeyDerivation;
};

/** Handling of an empty store at the start. */
export type EmptyStart = {
  /** Whether the store is empty and not accepted. */
  isUnexpected(): boolean;
  /** Rejects reads and changes until any process accepts the store. */
  reject(): void;
};

/** A connected store and the ports that it implements. Disposal closes it. */
export type Connection = AsyncDisposable & {
  readonly sets: FeatureSets;
  readonly index: SetIndex;
  readonly changes: FeatureStore & SetRecorder;
  /** Reads stored locations as sets, if the store has formats other than a set. Otherwise absent. */
  readonly storedLocations?: FeatureSets & Pick<FeatureStore, "allKeys">;
  /** Reads any keys, as strings and sets. */
  readonly values: StoredValues;
  readonly documents: DocumentStore;
  readonly items: ItemStore;
  /** The known features. Not cached. */
  readonly register: FeatureRegister;
  readonly secrets: Secrets;
  /** The documents as rules of features. Not cached. */
  readonly rules: Rules;
  readonly idempotencyKeys: IdempotencyKeys;
  /** A lease for work that only one of the processes of this store may do. */
  lease(name: string): Lease;
  /** Outbox of the store's change records. The caller disposes of it. */
  outbox(): Outbox;
  tokenResolver(keyOf: TokenKeyDerivation): TokenResolver;
  tokenStore(keyOf: TokenKeyDerivation): TokenStore;
  /** Invalidation feed of the keys with one of the prefixes. The caller disposes of it. */
  invalidations(prefixes: readonly string[]): ConfirmingFeed & AsyncDisposable;
  /** Waits until the store is connected. Rejects with `OperationFailed` after 2 s. */
  connected(): Promise<void>;
  /** Calls the listener on each connect, and when the store was replaced by another. */
  onConnect(listener: () => void): void;
  /** Resolves if the store responds and has not lost its data, otherwise rejects. */
  check(): Promise<void>;
  /** The identity stored in the store. `undefined` if it can be neither read nor written. */
  identity(): Promise<string | undefined>;
  /** Dry run of all changes, without writes. Rejects as a change would: with `StoreFault` if an operator must act. */
  probe(changeable: Changeable): Promise<void>;
  /** Whether the store is empty except for Tidegate's own keys. */
  isEmpty(): Promise<boolean>;
  /** Accepts the store as valid, also if it is empty. */
  accept(): Promise<void>;
  /** Only for a store that is created if missing, so that an empty one may have lost its data. */
  readonly emptyStart?: EmptyStart;
  /** Only for a store that may be unreachable at the start, or may lose its data. */
  readonly remote?: RemoteStore;
};
