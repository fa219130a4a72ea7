import type { ManagedSource } from "../../domain/admin/managed-source.ts";
import { errorMessage } from "../../domain/error-message.ts";
import { UnknownSet } from "../../domain/errors.ts";
import type { CachedRead } from "../../domain/evaluation/cached-read.ts";
import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import { inOrder } from "../../domain/evaluation/feature.ts";
import type { FeatureSet, FeatureSets } from "../../domain/evaluation/feature-sets.ts";

/** Port: the cached sets of a store, and the store itself without the cache. */
export type CachedSets = {
  /** The cached read of a set. Changes nothing. */
  peek(key: string): (CachedRead<FeatureSet> & { readonly since: Instant }) | undefined;
  readonly store: FeatureSets;
};

/** A key of one store: its cached and its stored value. Features are sorted by code point. */
export type CachedKey = {
  readonly connection: string;
  /** The sources that read it. */
  readonly sources: readonly string[];
  readonly cached:
    | (FeatureSet & {
        /** When this value was first read. */
        readonly since: Instant;
        /** The latest instant for which it is verified. */
        readonly asOf: Instant;
        /** Whether it is provably current, except for changes within the freshness bound. */
        readonly fresh: boolean;
        /** When it is read again without an invalidation. */
        readonly expiresAt: Instant;
      })
    | undefined;
  readonly store: FeatureSet | { readonly error: string };
};

/**
 * Compares the cached value of a key in this instance with the stored value, in each store that a source reads it from.
 * The result includes an error of a store. Rejects with `UnknownSet` if no source reads the key; so keys of tokens
 * cannot be read.
 */
export function viewCache(
  sources: readonly ManagedSource[],
  stores: ReadonlyMap<string, CachedSets>,
  now: () => Instant,
) {
  async function view(
    key: string,
    connection: string,
    readers: readonly { readonly name: string; readonly limit: number }[],
  ): Promise<CachedKey> {
    const sets = stores.get(connection);
    if (!sets) throw new Error(`no cache for connection "${connection}"`);
    const at = now();
    const cached = sets.peek(key);
    return {
      connection,
      sources: readers.map(({ name }) => name),
      cached: cached && {
        ...contentOf(cached.value),
        since: cached.since,
        asOf: cached.verifiedAt(at),
        fresh: cached.isCurrent(at),
        expiresAt: cached.validUntil,
      },
      store: await inStore(sets.store, key, Math.max(...readers.map(({ limit }) => limit))),
    };
  }

  return async (key: string): Promise<readonly CachedKey[]> => {
    const stored = sources.flatMap(({ name, editableSet }) => (editableSet ? [{ name, ...editableSet }] : []));
    const readers = stored.filter((each) => each.key.matches(key));
    if (readers.length === 0) {
      const spelling = stored.map((each) => each.key.spellingOf(key)).find((other) => other !== undefined);
      const known = [...new Set(stored.map((each) => each.key.text))].join(", ");
      throw new UnknownSet(
        spelling
          ? `No source reads a set with this key. Write it as ${spelling}.`
          : `No source reads a set with this key. The keys in use are: ${known || "none"}.`,
      );
    }
    const connections = Map.groupBy(readers, ({ connection }) => connection);
    return Promise.all([...connections].map(([connection, readers]) => view(key, connection, readers)));
  };
}

export type ViewCache = ReturnType<typeof viewCache>;

async function inStore(store: FeatureSets, key: string, limit: number): Promise<CachedKey["store"]> {
  try {
    return contentOf((await store.read(key, limit)).value);
  } catch (cause) {
    return { error: errorMessage(cause) };
  }
}

const contentOf = (set: FeatureSet): FeatureSet => ({ ...set, features: inOrder(set.features) });
