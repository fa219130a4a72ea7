import { UnknownSet } from "../../domain/errors.ts";
import type { CachedRead } from "../../domain/evaluation/cached-read.ts";
import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import { type FeatureKey, inOrder } from "../../domain/evaluation/feature.ts";
import type { FeatureSet, FeatureSets } from "../../domain/evaluation/feature-sets.ts";
import type { Source } from "../../domain/evaluation/source.ts";

/** Port: what is remembered of the sets of a store, and the store itself, past all that is remembered. */
export type CachedSets = {
  /** What is remembered of a set; asking changes nothing. */
  peek(key: string): (CachedRead<FeatureSet> & { readonly since: Instant }) | undefined;
  readonly store: FeatureSets;
};

/** What a set holds, sorted by code point, and how many members of it are no feature keys. */
type Content = { readonly features: readonly FeatureKey[]; readonly skipped: number };

/** One key of one store, as it is remembered and as it is. */
export type CachedKey = {
  readonly connection: string;
  /** The sources that read it. */
  readonly sources: readonly string[];
  readonly cached:
    | (Content & {
        /** When this value was first read. */
        readonly since: Instant;
        /** The latest instant for which it is known to be true. */
        readonly asOf: Instant;
        /** Whether it is provably current, but for changes within the freshness bound. */
        readonly fresh: boolean;
        /** When it is read again, although nobody said that it changed. */
        readonly expiresAt: Instant;
      })
    | undefined;
  readonly store: Content | { readonly error: string };
};

/** Shows an operator what an instance remembers of a key, beside what the store has. */
export class ViewCache {
  readonly #sources: readonly Source[];
  readonly #stores: ReadonlyMap<string, CachedSets>;
  readonly #now: () => Instant;

  constructor(sources: readonly Source[], stores: ReadonlyMap<string, CachedSets>, now: () => Instant) {
    this.#sources = sources;
    this.#stores = stores;
    this.#now = now;
  }

  /**
   * The key in each store in which a source reads it. An error of a store is told, not thrown. Rejects with `UnknownSet`
   * when no source reads the key: that of a token can never be asked for.
   */
  async view(key: string): Promise<readonly CachedKey[]> {
    const stored = this.#sources.flatMap(({ name, resolver }) =>
      resolver.editableSet ? [{ name, ...resolver.editableSet }] : [],
    );
    const readers = stored.filter((each) => each.key.matches(key));
    if (readers.length === 0) {
      const meant = stored.map((each) => each.key.meant(key)).find((other) => other !== undefined);
      const known = [...new Set(stored.map((each) => each.key.text))].join(", ");
      throw new UnknownSet(
        meant
          ? `No source reads a set of this key; write it as ${meant}.`
          : `No source reads a set of this key; the keys in use are: ${known || "none"}.`,
      );
    }
    const connections = Map.groupBy(readers, ({ connection }) => connection);
    return Promise.all([...connections].map(([connection, those]) => this.#view(key, connection, those)));
  }

  async #view(
    key: string,
    connection: string,
    readers: readonly { readonly name: string; readonly limit: number }[],
  ): Promise<CachedKey> {
    const sets = this.#stores.get(connection);
    if (!sets) throw new Error(`nothing is remembered of a connection "${connection}"`);
    const now = this.#now();
    const held = sets.peek(key);
    return {
      connection,
      sources: readers.map(({ name }) => name),
      cached: held && {
        ...contentOf(held.value),
        since: held.since,
        asOf: held.verifiedAt(now),
        fresh: held.isCurrent(now),
        expiresAt: held.validUntil,
      },
      store: await inStore(sets.store, key, Math.max(...readers.map(({ limit }) => limit))),
    };
  }
}

async function inStore(store: FeatureSets, key: string, limit: number): Promise<CachedKey["store"]> {
  try {
    return contentOf((await store.read(key, limit)).value);
  } catch (cause) {
    return { error: cause instanceof Error ? cause.message : String(cause) };
  }
}

const contentOf = ({ features, skipped }: FeatureSet): Content => ({
  features: inOrder(features),
  skipped,
});
