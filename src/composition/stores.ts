import type { DependencyContainer } from "tsyringe";
import type { LentStore } from "../adapters/source.ts";
import { AcceptStores } from "../application/accept-stores.ts";
import { within } from "../application/deadline.ts";
import { ReadKey } from "../application/read-key.ts";
import { type RememberedSets, ViewCache } from "../application/view-cache.ts";
import type { Config } from "../config.ts";
import type { ConfirmingFeed } from "../domain/change-feed.ts";
import type { FeatureSets } from "../domain/feature-sets.ts";
import { readAt } from "../domain/held.ts";
import { CachedFeatureSets } from "../infrastructure/cache/cached-feature-sets.ts";
import { CachedSettings } from "../infrastructure/cache/cached-settings.ts";
import { CachedTokenResolver } from "../infrastructure/cache/cached-token-resolver.ts";
import { CachedValues } from "../infrastructure/cache/cached-values.ts";
import type { CacheLimits } from "../infrastructure/cache/near-cache.ts";
import { Snapshot } from "../infrastructure/cache/snapshot.ts";
import type { Connection } from "../infrastructure/connection.ts";
import { InstanceChannel } from "../infrastructure/instance-channel.ts";
import { connectRedis, defaultCommandTimeoutMs } from "../infrastructure/redis/redis-connection.ts";
import { openSqlite } from "../infrastructure/sqlite/sqlite-connection.ts";
import { Tokens } from "../tokens.ts";
import { areDigestsSecret, tokenDigest, tokenKey } from "./token-keys.ts";
import { causeText, connectionOf, feedOf, named, storeName, type Wiring } from "./wiring.ts";

/** The stores, what is remembered of them, and who is known there. */
export function provideStores({ config, env, disposal, provide }: Wiring): void {
  provide(Tokens.InstanceChannel, () => new InstanceChannel());

  provide(Tokens.CommandTimeoutMs, () => defaultCommandTimeoutMs);

  provide(Tokens.Connections, (c) => {
    const connections = new Map<string, Connection>();
    for (const [name, options] of Object.entries(config.connections)) {
      const times = c.resolve(Tokens.CommandTimes).labels({ connection: name });
      const took = (seconds: number) => times.observe(seconds);
      const connection =
        options.kind === "redis"
          ? connectRedis(name, options.url, c.resolve(Tokens.Log), {
              took,
              commandTimeoutMs: c.resolve(Tokens.CommandTimeoutMs),
              filled: c.resolve(Tokens.InstanceChannel).filled,
            })
          : openSqlite(name, options.file, c.resolve(Tokens.Log));
      connections.set(name, withEmptyStart(c, disposal.use(connection), storeName(config, name)));
    }
    return connections;
  });

  provide(Tokens.Feeds, (c) => {
    const feeds = new Map<string, ConfirmingFeed>();
    for (const [name, { prefixes }] of config.keys) {
      feeds.set(name, disposal.use(connectionOf(c, name).feed(prefixes)));
    }
    disposal.use(c.resolve(Tokens.InstanceChannel).use(feeds));
    return feeds;
  });

  provide(Tokens.CachedTokens, (c) => {
    const { tokens } = config;
    if (!tokens) return undefined;
    const keyOf = tokenKey(tokens, env);
    const resolver = connectionOf(c, tokens.connection).tokenResolver(keyOf);
    const limits = limitsFor(config.cache, config.cache.maxStaleSeconds.tokens);
    const feed = feedOf(c, tokens.connection);
    return new CachedTokenResolver(resolver, keyOf, feed, limits, c.resolve(Tokens.Clock), tokenDigest(tokens, env));
  });

  provide(Tokens.TokenResolver, (c) => {
    const unknown = () => readAt<undefined>(undefined, c.resolve(Tokens.Clock)());
    return c.resolve(Tokens.CachedTokens) ?? { resolve: unknown };
  });

  provide(Tokens.CachedSets, (c) => {
    const limits = limitsFor(config.cache, config.cache.maxStaleSeconds.features);
    const cached = new Map<string, CachedFeatureSets>();
    for (const [name, keys] of config.keys) {
      const { sets: ofFeatures, places = ofFeatures } = connectionOf(c, name);
      const isPlace = (key: string) => keys.places.some(({ prefix }) => key.startsWith(prefix));
      const read: FeatureSets["read"] = (key, limit) => (isPlace(key) ? places : ofFeatures).read(key, limit);
      const sets = keys.places.length > 0 ? { read } : ofFeatures;
      cached.set(name, new CachedFeatureSets(sets, keys, feedOf(c, name), limits, c.resolve(Tokens.Clock)));
    }
    return cached;
  });

  provide(Tokens.CachedSettings, (c) => {
    const limits = limitsFor(config.cache, config.cache.maxStaleSeconds.features);
    const cached = new Map<string, CachedSettings>();
    for (const [name, { collections }] of config.keys) {
      if (collections.size === 0) continue;
      const { settings } = connectionOf(c, name);
      const clock = c.resolve(Tokens.Clock);
      cached.set(name, new CachedSettings(settings, collections, feedOf(c, name), limits, clock));
    }
    return cached;
  });

  provide(Tokens.CachedValues, (c) => {
    const limits = limitsFor(config.cache, config.cache.maxStaleSeconds.features);
    const names = new Set(config.proxied.map(({ connection }) => connection));
    return new Map(
      [...names].map((name) => {
        const { values } = connectionOf(c, name);
        return [name, new CachedValues(values, feedOf(c, name), limits, c.resolve(Tokens.Clock))];
      }),
    );
  });

  provide(Tokens.ReadKey, (c) => {
    const cached = c.resolve(Tokens.CachedValues);
    const readable = config.proxied.map(({ prefix, connection }) => {
      return { prefix, connection, values: named(cached, connection) };
    });
    return new ReadKey(readable, c.resolve(Tokens.Clock));
  });

  provide(Tokens.Stores, (c) => {
    const cached = c.resolve(Tokens.CachedSets);
    const cachedSettings = c.resolve(Tokens.CachedSettings);
    const stores = new Map<string, LentStore>();
    for (const [name, { sets, changes, settings, documents, items, lease }] of c.resolve(Tokens.Connections)) {
      stores.set(name, {
        sets: cached.get(name) ?? sets,
        changes,
        settings: cachedSettings.get(name) ?? settings,
        documents,
        items,
        lease,
      });
    }
    return stores;
  });

  provide(Tokens.Snapshot, (c) => {
    const { snapshot } = config.cache;
    if (!snapshot) return undefined;
    const tokensOf = (connection: string) =>
      config.tokens?.connection === connection && areDigestsSecret(config.tokens, env)
        ? c.resolve(Tokens.CachedTokens)?.cache
        : undefined;
    const sources = c.resolve(Tokens.Sources);
    const feedsOf = (connection: string) =>
      new Map(
        sources.flatMap(({ name, resolver: { items } }) =>
          items?.connection === connection ? [[name, items] as const] : [],
        ),
      );
    const parts = [...c.resolve(Tokens.Connections)].flatMap(([connection, { remote: store }]) => {
      const sets = c.resolve(Tokens.CachedSets).get(connection)?.cache;
      const settings = c.resolve(Tokens.CachedSettings).get(connection)?.cache;
      const feeds = feedsOf(connection);
      const isRead = sets || settings || feeds.size > 0;
      return store && isRead ? [{ connection, store, sets, settings, tokens: tokensOf(connection), feeds }] : [];
    });
    return disposal.use(
      new Snapshot(snapshot.file, parts, c.resolve(Tokens.InstanceChannel).filled, c.resolve(Tokens.Log)),
    );
  });

  provide(Tokens.AcceptStores, (c) => new AcceptStores(c.resolve(Tokens.Connections)));

  provide(Tokens.ViewCache, (c) => {
    const stores = [...c.resolve(Tokens.CachedSets)].map(([name, { cache }]): [string, RememberedSets] => [
      name,
      { peek: (key) => cache.peek(key), store: connectionOf(c, name).sets },
    ]);
    return new ViewCache(c.resolve(Tokens.Sources), new Map(stores), c.resolve(Tokens.Clock));
  });
}

/** Waits so long for the event log at the start of an empty store. */
const longestLogMs = 2_000;

/** A connection that rejects an empty store if the event log has changes of another one that was in its place. */
function withEmptyStart(c: DependencyContainer, connection: Connection, name: string): Connection {
  const { emptyStart } = connection;
  if (!emptyStart) return connection;
  const wasAnother = async () => {
    const identity = await connection.identity();
    if (identity === undefined) return false;
    return c.resolve(Tokens.Activity).stores.hasChangesOfOthers(identity, name);
  };
  const connected = async () => {
    const log = c.resolve(Tokens.Log);
    if (emptyStart.isDoubtful()) {
      try {
        if (await within(longestLogMs, wasAnother)) {
          emptyStart.reject();
          log.error({ connection: name }, "the store is empty, but the activity log has changes; restore or accept it");
        }
      } catch (cause) {
        log.warn({ connection: name, cause: causeText(cause) }, "cannot check whether an empty store lost its data");
      }
    }
    await connection.connected();
  };
  return { ...connection, connected };
}

const limitsFor = ({ capacity, expirySeconds }: Config["cache"], maxStaleSeconds: number): CacheLimits => ({
  capacity,
  expiryMs: expirySeconds * 1_000,
  maxStaleMs: maxStaleSeconds * 1_000,
});
