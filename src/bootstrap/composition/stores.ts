import type { DependencyContainer } from "tsyringe";
import { AcceptStores } from "../../application/admin/accept-stores.ts";
import { type CachedSets, ViewCache } from "../../application/admin/view-cache.ts";
import { withDeadline } from "../../application/evaluation/deadline.ts";
import { ReadKey } from "../../application/evaluation/read-key.ts";
import { uncachedRead } from "../../domain/evaluation/cached-read.ts";
import type { FeatureSets } from "../../domain/evaluation/feature-sets.ts";
import type { ConfirmingFeed } from "../../domain/evaluation/invalidation-feed.ts";
import { CachedFeatureSets } from "../../infrastructure/cache/cached-feature-sets.ts";
import { CachedRules } from "../../infrastructure/cache/cached-rules.ts";
import { CachedTokenResolver } from "../../infrastructure/cache/cached-token-resolver.ts";
import { CachedValues } from "../../infrastructure/cache/cached-values.ts";
import type { CacheLimits } from "../../infrastructure/cache/near-cache.ts";
import { Snapshot } from "../../infrastructure/cache/snapshot.ts";
import type { Connection } from "../../infrastructure/connection.ts";
import { InstanceChannel } from "../../infrastructure/instance-channel.ts";
import { connectRedis, defaultCommandTimeoutMs } from "../../infrastructure/redis/redis-connection.ts";
import { openSqlite } from "../../infrastructure/sqlite/sqlite-connection.ts";
import type { Config } from "../config/config.ts";
import { DiKeys } from "./di-keys.ts";
import type { SourceStore } from "./managed-source.ts";
import { areDigestsSecret, tokenDigest, tokenKey } from "./token-keys.ts";
import { causeText, connectionOf, feedOf, named, storeName, type Wiring } from "./wiring.ts";

/** Provides the stores, their caches and the token lookup. */
export function provideStores({ config, env, disposal, provide }: Wiring): void {
  provide(DiKeys.InstanceChannel, () => new InstanceChannel());

  provide(DiKeys.CommandTimeoutMs, () => defaultCommandTimeoutMs);

  provide(DiKeys.Connections, (c) => {
    const connections = new Map<string, Connection>();
    for (const [name, options] of Object.entries(config.connections)) {
      const times = c.resolve(DiKeys.CommandTimes).labels({ connection: name });
      const took = (seconds: number) => times.observe(seconds);
      const connection =
        options.kind === "redis"
          ? connectRedis(name, options.url, c.resolve(DiKeys.Log), {
              took,
              commandTimeoutMs: c.resolve(DiKeys.CommandTimeoutMs),
              filled: c.resolve(DiKeys.InstanceChannel).filled,
            })
          : openSqlite(name, options.file, c.resolve(DiKeys.Log));
      connections.set(name, withEmptyStart(c, disposal.use(connection), storeName(config, name)));
    }
    return connections;
  });

  provide(DiKeys.Feeds, (c) => {
    const feeds = new Map<string, ConfirmingFeed>();
    for (const [name, { prefixes }] of config.keys) {
      feeds.set(name, disposal.use(connectionOf(c, name).feed(prefixes)));
    }
    disposal.use(c.resolve(DiKeys.InstanceChannel).use(feeds));
    return feeds;
  });

  provide(DiKeys.CachedTokens, (c) => {
    const { tokens } = config;
    if (!tokens) return undefined;
    const keyOf = tokenKey(tokens, env);
    const resolver = connectionOf(c, tokens.connection).tokenResolver(keyOf);
    const limits = limitsFor(config.cache, config.cache.maxStaleSeconds.tokens);
    const feed = feedOf(c, tokens.connection);
    return new CachedTokenResolver(resolver, keyOf, feed, limits, c.resolve(DiKeys.Clock), tokenDigest(tokens, env));
  });

  provide(DiKeys.TokenResolver, (c) => {
    const unknown = () => uncachedRead<undefined>(undefined, c.resolve(DiKeys.Clock)());
    return c.resolve(DiKeys.CachedTokens) ?? { resolve: unknown };
  });

  provide(DiKeys.CachedSets, (c) => {
    const limits = limitsFor(config.cache, config.cache.maxStaleSeconds.features);
    const cached = new Map<string, CachedFeatureSets>();
    for (const [name, keys] of config.keys) {
      const { sets: ofFeatures, places = ofFeatures } = connectionOf(c, name);
      const isPlace = (key: string) => keys.places.some(({ prefix }) => key.startsWith(prefix));
      const read: FeatureSets["read"] = (key, limit) => (isPlace(key) ? places : ofFeatures).read(key, limit);
      const sets = keys.places.length > 0 ? { read } : ofFeatures;
      cached.set(name, new CachedFeatureSets(sets, keys, feedOf(c, name), limits, c.resolve(DiKeys.Clock)));
    }
    return cached;
  });

  provide(DiKeys.CachedRules, (c) => {
    const limits = limitsFor(config.cache, config.cache.maxStaleSeconds.features);
    const cached = new Map<string, CachedRules>();
    for (const [name, { collections }] of config.keys) {
      if (collections.size === 0) continue;
      const { rules } = connectionOf(c, name);
      const clock = c.resolve(DiKeys.Clock);
      cached.set(name, new CachedRules(rules, collections, feedOf(c, name), limits, clock));
    }
    return cached;
  });

  provide(DiKeys.CachedValues, (c) => {
    const limits = limitsFor(config.cache, config.cache.maxStaleSeconds.features);
    const names = new Set(config.proxied.map(({ connection }) => connection));
    return new Map(
      [...names].map((name) => {
        const { values } = connectionOf(c, name);
        return [name, new CachedValues(values, feedOf(c, name), limits, c.resolve(DiKeys.Clock))];
      }),
    );
  });

  provide(DiKeys.ReadKey, (c) => {
    const cached = c.resolve(DiKeys.CachedValues);
    const readable = config.proxied.map(({ prefix, connection }) => {
      return { prefix, connection, values: named(cached, connection) };
    });
    return new ReadKey(readable, c.resolve(DiKeys.Clock));
  });

  provide(DiKeys.Snapshot, (c) => {
    const { snapshot } = config.cache;
    if (!snapshot) return undefined;
    const tokensOf = (connection: string) =>
      config.tokens?.connection === connection && areDigestsSecret(config.tokens, env)
        ? c.resolve(DiKeys.CachedTokens)?.cache
        : undefined;
    const sources = c.resolve(DiKeys.Sources);
    const feedsOf = (connection: string) =>
      new Map(sources.flatMap(({ name, feed }) => (feed?.connection === connection ? [[name, feed] as const] : [])));
    const parts = [...c.resolve(DiKeys.Connections)].flatMap(([connection, { remote: store }]) => {
      const sets = c.resolve(DiKeys.CachedSets).get(connection)?.cache;
      const rules = c.resolve(DiKeys.CachedRules).get(connection)?.cache;
      const feeds = feedsOf(connection);
      const isRead = sets || rules || feeds.size > 0;
      return store && isRead ? [{ connection, store, sets, rules, tokens: tokensOf(connection), feeds }] : [];
    });
    return disposal.use(
      new Snapshot(snapshot.file, parts, c.resolve(DiKeys.InstanceChannel).filled, c.resolve(DiKeys.Log)),
    );
  });

  provide(DiKeys.AcceptStores, (c) => new AcceptStores(c.resolve(DiKeys.Connections)));

  provide(DiKeys.ViewCache, (c) => {
    const stores = [...c.resolve(DiKeys.CachedSets)].map(([name, { cache }]): [string, CachedSets] => [
      name,
      { peek: (key) => cache.peek(key), store: connectionOf(c, name).sets },
    ]);
    return new ViewCache(c.resolve(DiKeys.Sources), new Map(stores), c.resolve(DiKeys.Clock));
  });
}

/** The store of a connection, as sources and operators use it. */
export function sourceStoreOf(c: DependencyContainer, connection: string): SourceStore {
  const { sets, index, changes, rules: uncached, documents } = connectionOf(c, connection);
  const cachedSets = c.resolve(DiKeys.CachedSets).get(connection) ?? sets;
  const rules = c.resolve(DiKeys.CachedRules).get(connection) ?? uncached;
  return { sets, cachedSets, index, changes, rules, documents };
}

/** Limit for the event log lookup while an empty store starts, in milliseconds. */
const longestLogMs = 2_000;

/** A connection that rejects an empty store if the event log has changes of another store from the same place. */
function withEmptyStart(c: DependencyContainer, connection: Connection, name: string): Connection {
  const { emptyStart } = connection;
  if (!emptyStart) return connection;
  const wasAnother = async () => {
    const identity = await connection.identity();
    if (identity === undefined) return false;
    return c.resolve(DiKeys.OpenEventLog).stores.hasChangesOfOthers(identity, name);
  };
  const connected = async () => {
    const log = c.resolve(DiKeys.Log);
    if (emptyStart.isDoubtful()) {
      try {
        if (await withDeadline(longestLogMs, wasAnother)) {
          emptyStart.reject();
          log.error({ connection: name }, "store is empty, but the event log has changes of it; restore or accept it");
        }
      } catch (cause) {
        log.warn({ connection: name, cause: causeText(cause) }, "cannot check whether the empty store lost its data");
      }
    }
    await connection.connected();
  };
  return { ...connection, connected };
}

/** The limits of a cache. */
export const limitsFor = ({ capacity, expirySeconds }: Config["cache"], maxStaleSeconds: number): CacheLimits => ({
  capacity,
  expiryMs: expirySeconds * 1_000,
  maxStaleMs: maxStaleSeconds * 1_000,
});
