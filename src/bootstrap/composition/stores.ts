import { withDeadline } from "../../application/async/deadline.ts";
import type { SetIndex } from "../../domain/admin/set-index.ts";
import type { FeatureSets } from "../../domain/evaluation/feature-sets.ts";
import type { ConfirmingFeed } from "../../domain/evaluation/invalidation-feed.ts";
import type { KnownStores } from "../../domain/events/known-stores.ts";
import { CachedFeatureSets } from "../../infrastructure/cache/cached-feature-sets.ts";
import { CachedRules } from "../../infrastructure/cache/cached-rules.ts";
import { CachedSetIndex } from "../../infrastructure/cache/cached-set-index.ts";
import { CachedTokenResolver } from "../../infrastructure/cache/cached-token-resolver.ts";
import { CachedValues } from "../../infrastructure/cache/cached-values.ts";
import type { CacheLimits } from "../../infrastructure/cache/near-cache.ts";
import type { Connection } from "../../infrastructure/connection.ts";
import { openEventLog } from "../../infrastructure/event-log/open-event-log.ts";
import type { Log } from "../../infrastructure/logger.ts";
import { commandBounds, Durations } from "../../infrastructure/metrics/durations.ts";
import { pepperedConnection } from "../../infrastructure/secrets/peppered-connection.ts";
import { openSqlite } from "../../infrastructure/sqlite/sqlite-connection.ts";
import { lazy, once } from "./lazy.ts";
import type { SourceStore } from "./sources/managed-source.ts";
import { thisProcess } from "./this-process.ts";
import { pepperOf, tokenDigest, tokenKey } from "./token-keys.ts";
import { causeText, named, type Wiring } from "./wiring.ts";

export type Stores = ReturnType<typeof storesOf>;

/** Stores: the connections with their invalidation feeds and caches, the tokens, and the event log. */
export function storesOf(wiring: Wiring) {
  const { config, env, disposal, now } = wiring;
  const limitsFor = (maxStaleSeconds: number): CacheLimits => ({
    capacity: config.cache.capacity,
    expiryMs: config.cache.expirySeconds * 1_000,
    maxStaleMs: maxStaleSeconds * 1_000,
  });
  const featureLimits = limitsFor(config.cache.maxStaleSeconds.features);

  const eventLog = once(() =>
    disposal.use(openEventLog(config.eventLog, wiring.log, { inProcess: !wiring.isService })),
  );

  const commandDurations = new Map<string, Durations>();

  const connections = once(() => {
    const { log, channel, commandTimeoutMs, connectRedis } = wiring;
    const opened = new Map<string, Connection>();
    for (const [name, options] of Object.entries(config.connections)) {
      const durations = new Durations(commandBounds);
      const recordDuration = (seconds: number) => durations.record(seconds);
      const connection =
        options.kind === "redis"
          ? connectRedis(name, options.url, log, {
              recordDuration,
              commandTimeoutMs,
              filled: channel.filled,
              process: thisProcess,
            })
          : openSqlite(name, options.file, log);
      if (options.kind === "redis") commandDurations.set(name, durations);
      opened.set(
        name,
        withPepper(
          withEmptyStart(disposal.use(connection), storeOf(name), () => eventLog().stores, log),
          name,
        ),
      );
    }
    return opened;
  });
  const connectionOf = (name: string) => named(connections(), name);

  const withPepper = (connection: Connection, name: string): Connection => {
    const { tokens } = config;
    if (tokens?.connection !== name || tokens.layout !== "hashed") return connection;
    return pepperedConnection(connection, name, pepperOf(tokens, env), wiring.log);
  };

  /** The name under which the event log records the store of a connection. */
  const storeOf = (connection: string) => named(config.stores, connection);

  const invalidationFeeds = once(() => {
    const opened = new Map<string, ConfirmingFeed>();
    for (const [name, { prefixes }] of config.keys) {
      opened.set(name, disposal.use(connectionOf(name).invalidations(prefixes)));
    }
    disposal.use(wiring.channel.use(opened));
    return opened;
  });
  const invalidationFeedOf = (name: string) => named(invalidationFeeds(), name);

  const tokens = once(() => {
    const { tokens } = config;
    if (!tokens) return undefined;
    const keyOf = tokenKey(tokens, env);
    const connection = connectionOf(tokens.connection);
    const limits = limitsFor(config.cache.maxStaleSeconds.tokens);
    const digest = tokenDigest(tokens, env);
    const invalidations = once(() => invalidationFeedOf(tokens.connection));
    return lazy({
      keyOf: () => keyOf,
      store: () => connection.tokenStore(keyOf),
      resolver: () =>
        new CachedTokenResolver(connection.tokenResolver(keyOf), keyOf, invalidations(), limits, now, digest),
    });
  });

  /** The sets of features of a store, and its stored locations. */
  const setsOf = (name: string): FeatureSets => {
    const { sets: ofFeatures, storedLocations = ofFeatures } = connectionOf(name);
    const locations = config.keys.get(name)?.locations ?? [];
    if (locations.length === 0) return ofFeatures;
    const isStoredLocation = (key: string) => locations.some(({ prefix }) => key.startsWith(prefix));
    return { read: (key, limit) => (isStoredLocation(key) ? storedLocations : ofFeatures).read(key, limit) };
  };

  const cachedSets = once(() => {
    const cached = new Map<string, CachedFeatureSets>();
    for (const [name, keys] of wiring.isService ? config.keys : []) {
      cached.set(name, new CachedFeatureSets(setsOf(name), keys, invalidationFeedOf(name), featureLimits, now));
    }
    return cached;
  });

  const cachedRules = once(() => {
    const cached = new Map<string, CachedRules>();
    for (const [name, { collections }] of wiring.isService ? config.keys : []) {
      if (collections.size === 0) continue;
      cached.set(
        name,
        new CachedRules(connectionOf(name).rules, collections, invalidationFeedOf(name), featureLimits, now),
      );
    }
    return cached;
  });

  const cachedValues = once(() => {
    const names = new Set(config.proxied.map(({ connection }) => connection));
    const cachedOf = (name: string) =>
      new CachedValues(connectionOf(name).values, invalidationFeedOf(name), featureLimits, now);
    return new Map([...names].map((name) => [name, cachedOf(name)]));
  });

  const cachedSetsOf = (connection: string): FeatureSets => cachedSets().get(connection) ?? setsOf(connection);

  const cachedIndexes = new Map<string, SetIndex>();
  /** The index of the sets that sources read. */
  const indexOf = (connection: string): SetIndex => {
    const { index, sets } = connectionOf(connection);
    if (!wiring.isService) return index;
    const cached =
      cachedIndexes.get(connection) ?? new CachedSetIndex(index, sets, invalidationFeedOf(connection), now);
    cachedIndexes.set(connection, cached);
    return cached;
  };

  const members = lazy({
    eventLog,
    connections,
    invalidationFeeds,
    /**
     * The tokens: how their keys are derived, their store, and the cached lookup. `undefined` if none are configured.
     */
    tokens,
    cachedSets,
    cachedRules,
    cachedValues,
  });
  return Object.assign(members, {
    /** Durations of Redis commands, by connection. */
    commandDurations,
    /** Limits for cached data that features depend on. */
    featureLimits,
    connectionOf,
    invalidationFeedOf,
    storeOf,
    /** The sets of a connection, from the cache if there is one. */
    cachedSetsOf,
    /** The store of a connection, as sources and operators use it. */
    sourceStoreOf: (connection: string): SourceStore => {
      const { sets, changes, rules, documents } = connectionOf(connection);
      const cached = cachedRules().get(connection) ?? rules;
      const index = indexOf(connection);
      return { sets, cachedSets: cachedSetsOf(connection), index, changes, rules: cached, documents };
    },
  });
}

/** Limit for the event log lookup while an empty store starts, in milliseconds. */
const maxLogMs = 2_000;

/** A connection that rejects an empty store if the event log has changes of another store of the same connection. */
function withEmptyStart(connection: Connection, name: string, known: () => KnownStores, log: Log): Connection {
  const { emptyStart } = connection;
  if (!emptyStart) return connection;
  const wasAnother = async () => {
    const identity = await connection.identity();
    return identity !== undefined && known().hasChangesOfOthers(identity, name);
  };
  const connected = async () => {
    if (emptyStart.isUnexpected()) {
      try {
        if (await withDeadline(maxLogMs, wasAnother)) {
          emptyStart.reject();
          log.error(
            { connection: name },
            "store is empty, but the event log has changes of an earlier one; restore or accept it",
          );
        }
      } catch (cause) {
        log.warn({ connection: name, cause: causeText(cause) }, "cannot check whether the empty store lost its data");
      }
    }
    await connection.connected();
  };
  return { ...connection, connected };
}
