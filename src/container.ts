import "reflect-metadata";
import { LRUCache } from "lru-cache";
import { type DependencyContainer, type InjectionToken, instanceCachingFactory, container as root } from "tsyringe";
import { v5 as uuidv5, v7 as uuidv7 } from "uuid";
import { CallContext } from "./adapters/http/call-context.ts";
import { Counts } from "./adapters/http/counts.ts";
import { EventStreams } from "./adapters/http/event-streams.ts";
import { settingCheck } from "./adapters/setting-check.ts";
import type { LentStore } from "./adapters/source.ts";
import { AcceptStores } from "./application/accept-stores.ts";
import { Catalogue } from "./application/catalogue.ts";
import { ChangeSet } from "./application/change-set.ts";
import { CheckReadiness } from "./application/check-readiness.ts";
import { CheckRecords } from "./application/check-records.ts";
import { CompareMoments } from "./application/compare-moments.ts";
import { CompleteSince } from "./application/complete-since.ts";
import type { TokensOfData } from "./application/data-line.ts";
import { DrainOutboxes } from "./application/drain-outboxes.ts";
import { ExpireActivity } from "./application/expire-activity.ts";
import { ExplainFeatures } from "./application/explain-features.ts";
import { ExportData } from "./application/export-data.ts";
import { FieldsRead } from "./application/fields-read.ts";
import { IdentifyCaller, tokensSource } from "./application/identify-caller.ts";
import { IdentifyOperator } from "./application/identify-operator.ts";
import { ImportData } from "./application/import-data.ts";
import { KeepRecords } from "./application/keep-records.ts";
import { ListFeatures } from "./application/list-features.ts";
import { LoadDemo } from "./application/load-demo.ts";
import { LocateCaller } from "./application/locate-caller.ts";
import { ManageCredentials } from "./application/manage-credentials.ts";
import { ManageSettings } from "./application/manage-settings.ts";
import { ManageTokens } from "./application/manage-tokens.ts";
import { PastFeatureSets } from "./application/past-feature-sets.ts";
import { PastFeatureStore } from "./application/past-feature-store.ts";
import { PastSettings } from "./application/past-settings.ts";
import { ReadActivity } from "./application/read-activity.ts";
import { RecallFeatures } from "./application/recall-features.ts";
import { RecallSets } from "./application/recall-sets.ts";
import { RecallSettings } from "./application/recall-settings.ts";
import { RecordActivity } from "./application/record-activity.ts";
import { ResolveFeatures } from "./application/resolve-features.ts";
import { type Provider, SearchItems } from "./application/search-items.ts";
import { type KnownSource, SourceSets } from "./application/source-sets.ts";
import { SourceStates } from "./application/source-states.ts";
import { SurveySources } from "./application/survey-sources.ts";
import { TailActivity } from "./application/tail-activity.ts";
import { type RememberedSets, ViewCache } from "./application/view-cache.ts";
import { ViewItems } from "./application/view-items.ts";
import { ViewUser } from "./application/view-user.ts";
import { WatchSets } from "./application/watch-sets.ts";
import { WatchSettings } from "./application/watch-settings.ts";
import type { Config } from "./config.ts";
import type { ChangeFeed } from "./domain/change-feed.ts";
import { firstCredential } from "./domain/credential.ts";
import type { DocumentStore } from "./domain/document-store.ts";
import { LogUnavailable, NotKnown } from "./domain/errors.ts";
import type { Instant } from "./domain/evaluation-context.ts";
import type { FeatureResolver } from "./domain/feature-resolver.ts";
import { readAt } from "./domain/held.ts";
import type { History } from "./domain/history.ts";
import type { Outbox } from "./domain/outbox.ts";
import type { Source } from "./domain/source.ts";
import type { StoredSet } from "./domain/stored-set.ts";
import { openActivity } from "./infrastructure/activity/activity.ts";
import { CachedFeatureSets } from "./infrastructure/cache/cached-feature-sets.ts";
import { CachedSettings } from "./infrastructure/cache/cached-settings.ts";
import { CachedTokenResolver } from "./infrastructure/cache/cached-token-resolver.ts";
import type { CacheLimits } from "./infrastructure/cache/near-cache.ts";
import { Snapshot } from "./infrastructure/cache/snapshot.ts";
import type { TokenOptions } from "./infrastructure/config/schema.ts";
import type { Connection } from "./infrastructure/connection.ts";
import { credentialIn, newSecret, secretDigest } from "./infrastructure/credential-secret.ts";
import { createLog } from "./infrastructure/logger.ts";
import { commandTimes, metricsOf } from "./infrastructure/metrics/metrics.ts";
import { connectRedis } from "./infrastructure/redis/redis-connection.ts";
import { collectionKey } from "./infrastructure/redis/redis-keys.ts";
import { SetupFailed } from "./infrastructure/setup-failed.ts";
import { openSqlite } from "./infrastructure/sqlite/sqlite-connection.ts";
import {
  hashedTokenKey,
  pepperedDigest,
  pepperIn,
  pepperMark,
  plainTokenKey,
  type TokenKey,
} from "./infrastructure/token-key.ts";
import { Tokens } from "./tokens.ts";

/** Of the ids that follow from a text: made once, at random. */
const namespace = "6f0f4d57-3b0c-4a65-9c07-0e3f7a1f2b9d";

/** A source of a past moment waits for the log, which is given up before that. */
const longestRecallMs = 10_000;

/** Everything that one configuration makes, wired; disposing of it closes it all, last made first. */
export type Composition = AsyncDisposable & {
  get<T>(token: InjectionToken<T>): T;
  /** Puts something else behind a token. Only before anything that needs it was asked for. */
  replace<T>(token: InjectionToken<T>, instance: T): void;
};

/** The one place that knows which class stands behind which port. */
export function compose(config: Config, env: NodeJS.ProcessEnv): Composition {
  const container = root.createChildContainer();
  const disposal = new AsyncDisposableStack();
  const provide = <T>(token: InjectionToken<T>, create: (container: DependencyContainer) => T) =>
    container.register<T>(token, { useFactory: instanceCachingFactory<T>(create) });

  provide(Tokens.Log, () => createLog(config.log.level));
  provide(Tokens.Clock, () => Date.now);
  provide(Tokens.NewId, () => uuidv7);

  /** Under which name the activity log knows the store of a connection. */
  const storeOf = (connection: string): string => named(config.stores, connection);

  provide(Tokens.Connections, (c) => {
    const connections = new Map<string, Connection>();
    for (const [name, options] of Object.entries(config.connections)) {
      const times = c.resolve(Tokens.CommandTimes).labels({ connection: name });
      const connection =
        options.kind === "redis"
          ? connectRedis(name, options.url, c.resolve(Tokens.Log), (seconds) => times.observe(seconds))
          : openSqlite(name, options.file);
      connections.set(name, disposal.use(connection));
    }
    return connections;
  });

  provide(Tokens.Activity, () => disposal.use(openActivity(config.activityLog)));
  provide(Tokens.ActivityLog, (c) => c.resolve(Tokens.Activity).log);
  provide(Tokens.History, (c) => byConnection(c.resolve(Tokens.Activity).history, storeOf));

  provide(Tokens.Feeds, (c) => {
    const feeds = new Map<string, ChangeFeed>();
    for (const [name, { prefixes }] of config.keys) {
      feeds.set(name, disposal.use(connectionOf(c, name).feed(prefixes)));
    }
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
      const { sets } = connectionOf(c, name);
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
    const parts = [...c.resolve(Tokens.CachedSets)].flatMap(([connection, { cache: sets }]) => {
      const { remote: store } = connectionOf(c, connection);
      const settings = c.resolve(Tokens.CachedSettings).get(connection)?.cache;
      return store ? [{ connection, store, sets, settings, tokens: tokensOf(connection) }] : [];
    });
    return disposal.use(new Snapshot(snapshot.file, parts, c.resolve(Tokens.Log)));
  });

  provide(Tokens.Background, () => []);

  provide(Tokens.Sources, (c) => {
    const log = c.resolve(Tokens.Log);
    const store = (connection: string) => named(c.resolve(Tokens.Stores), connection);
    const background = c.resolve(Tokens.Background);
    const onServing = (begin: () => void) => void background.push(begin);
    return config.sources.map(({ create, kind, isReplayable: _, setting: __, ...source }) => {
      const warn = (fields: Record<string, unknown>, sentence: string) =>
        log.warn({ source: source.name, ...fields }, sentence);
      try {
        const resolver = create({ name: source.name, store, onServing, warn });
        disposal.defer(async () => resolver[Symbol.asyncDispose]?.());
        return { ...source, resolver };
      } catch (cause) {
        throw new SetupFailed(
          `the source "${source.name}" (${kind}) cannot be made: ${causeText(cause)}; mend its options or its file`,
        );
      }
    });
  });

  provide(Tokens.SearchItems, (c) => new SearchItems(providersIn(c.resolve(Tokens.Sources))));

  provide(Tokens.ViewItems, (c) => {
    const sources = c.resolve(Tokens.Sources);
    return new ViewItems(
      providersIn(sources),
      sources.map(({ name }) => name),
    );
  });

  provide(Tokens.SourceStates, (c) => {
    const log = c.resolve(Tokens.Log);
    return new SourceStates(
      {
        failed: (source, cause) => log.error({ source, cause: causeText(cause) }, "source failed"),
        recovered: (source) => log.info({ source }, "source answers again"),
        foundInvalid: (source, cause) => log.error({ source, cause: causeText(cause) }, "source found invalid data"),
      },
      c.resolve(Tokens.Clock),
    );
  });

  provide(Tokens.LocateCaller, () => new LocateCaller(config.locators.map((make) => make())));

  provide(
    Tokens.IdentifyCaller,
    (c) =>
      new IdentifyCaller(
        c.resolve(Tokens.TokenResolver),
        c.resolve(Tokens.LocateCaller),
        c.resolve(Tokens.SourceStates),
        c.resolve(Tokens.Clock),
      ),
  );
  provide(Tokens.CallContext, (c) => {
    const reads = new FieldsRead(c.resolve(Tokens.Sources));
    return new CallContext(config.context, c.resolve(Tokens.LocateCaller), reads);
  });

  provide(
    Tokens.ResolveFeatures,
    (c) =>
      new ResolveFeatures(
        c.resolve(Tokens.IdentifyCaller),
        c.resolve(Tokens.Sources),
        c.resolve(Tokens.SourceStates),
        new LRUCache({ max: config.cache.capacity }),
      ),
  );

  provide(Tokens.RecallSets, (c) => {
    const families = c.resolve(Tokens.Sources).flatMap(({ resolver }) => resolver.stored ?? []);
    const completeSince = async (connection: string, keyOrPrefix: string) => {
      const family = families.find(
        ({ key, ...family }) =>
          family.connection === connection && (key.matches(keyOrPrefix) || key.prefix === keyOrPrefix),
      );
      return family && c.resolve(Tokens.CompleteSince).of(storeOf(connection), family.key.text);
    };
    const drain = c.resolve(Tokens.DrainOutboxes);
    const recorded = {
      revisions: (connection: string, keys: readonly string[]) => connectionOf(c, connection).changes.revisions(keys),
      drain: (connection: string) => drain.drain(storeOf(connection)),
    };
    return new RecallSets(c.resolve(Tokens.History), recorded, completeSince);
  });

  provide(Tokens.RecallSettings, (c) => {
    const drain = c.resolve(Tokens.DrainOutboxes);
    return new RecallSettings(c.resolve(Tokens.History), {
      revisions: (connection, collection) => connectionOf(c, connection).documents.revisions(collection),
      drain: (connection) => drain.drain(storeOf(connection)),
    });
  });

  /** The sources as they would have answered at a moment. */
  const pastSources = (c: DependencyContainer, at: Instant): readonly Source[] => {
    const recall = c.resolve(Tokens.RecallSets);
    const store = (connection: string) => ({
      sets: new PastFeatureSets(recall, connection, at),
      changes: new PastFeatureStore(recall, connection, at),
      settings: new PastSettings(c.resolve(Tokens.RecallSettings), connection, at),
      documents: connectionOf(c, connection).documents,
      items: connectionOf(c, connection).items,
      lease: connectionOf(c, connection).lease,
    });
    return config.sources.map(({ create, isReplayable, kind: _, setting: __, ...source }) => {
      const host = { name: source.name, store, onServing: () => {}, warn: () => {} };
      const resolver = isReplayable ? create(host) : unrecorded(source.name);
      return { ...source, resolver, timeoutMs: longestRecallMs };
    });
  };

  provide(Tokens.SurveySources, (c) => {
    const past = (at: Instant) => pastSources(c, at);
    return new SurveySources(
      c.resolve(Tokens.IdentifyCaller),
      c.resolve(Tokens.Sources),
      past,
      c.resolve(Tokens.Clock),
    );
  });

  provide(Tokens.RecallFeatures, (c) => new RecallFeatures(c.resolve(Tokens.SurveySources)));
  provide(
    Tokens.ExplainFeatures,
    (c) =>
      new ExplainFeatures(c.resolve(Tokens.SurveySources), c.resolve(Tokens.History), () =>
        c.resolve(Tokens.DrainOutboxes).execute(),
      ),
  );
  provide(Tokens.CompareMoments, (c) => new CompareMoments(c.resolve(Tokens.SurveySources), c.resolve(Tokens.History)));

  provide(Tokens.CheckReadiness, (c) => {
    const connections = [...c.resolve(Tokens.Connections)].map(([name, connection]) => ({
      name,
      check: () => connection.check(),
      isRemembered: () => c.resolve(Tokens.Snapshot)?.stoodInFor(name, config.tokens?.connection === name) ?? false,
    }));
    return new CheckReadiness(connections, c.resolve(Tokens.Sources), c.resolve(Tokens.Clock));
  });

  const knownSources = (sources: readonly Source[], asKnown = (stored: StoredSet) => stored) =>
    sources.map((source, index): KnownSource => {
      const { kind = "", setting } = config.sources[index] ?? {};
      const { stored, settings } = source.resolver;
      return {
        ...source,
        kind,
        stored: stored && asKnown(stored),
        settings: settings && setting && { ...settings, check: settingCheck(setting) },
      };
    });

  provide(Tokens.SourceSets, (c) => {
    const asStored = ({ sets: _, ...stored }: StoredSet) => ({
      ...stored,
      sets: connectionOf(c, stored.connection).sets,
    });
    return new SourceSets(knownSources(c.resolve(Tokens.Sources), asStored));
  });

  provide(Tokens.ChangeSet, (c) => {
    const tell = (connection: string, key: string) => feedOf(c, connection).tell(key);
    return new ChangeSet(c.resolve(Tokens.SourceSets), c.resolve(Tokens.NewId), tell);
  });

  provide(Tokens.ManageSettings, (c) => {
    const tell = (connection: string, collection: string) =>
      c.resolve(Tokens.Feeds).get(connection)?.tell(collectionKey(collection));
    return new ManageSettings(c.resolve(Tokens.SourceSets), c.resolve(Tokens.NewId), tell);
  });

  provide(Tokens.ManageTokens, (c) => {
    const { tokens } = config;
    if (!tokens) return new ManageTokens(undefined, c.resolve(Tokens.NewId));
    const keyOf = tokenKey(tokens, env);
    const tell = (token: string) => feedOf(c, tokens.connection).tell(keyOf(token));
    return new ManageTokens(connectionOf(c, tokens.connection).tokenStore(keyOf), c.resolve(Tokens.NewId), tell);
  });

  const firstStore = (c: DependencyContainer): Connection | undefined => {
    const { sources } = c.resolve(Tokens.SourceSets);
    const [first] = [
      ...sources.flatMap(({ stored }) => stored ?? []),
      ...sources.flatMap(({ resolver }) => resolver.settings ?? []),
    ];
    return first && connectionOf(c, first.connection);
  };

  provide(Tokens.Claims, (c) => firstStore(c)?.claims);

  provide(
    Tokens.Catalogue,
    (c) => new Catalogue(firstStore(c)?.documents, c.resolve(Tokens.NewId), c.resolve(Tokens.Clock)),
  );

  provide(Tokens.ListFeatures, (c) => {
    const past = (at: Instant) => new SourceSets(knownSources(pastSources(c, at)));
    return new ListFeatures(c.resolve(Tokens.SourceSets), c.resolve(Tokens.Catalogue), c.resolve(Tokens.Clock), past);
  });

  provide(
    Tokens.ViewUser,
    (c) =>
      new ViewUser(
        c.resolve(Tokens.SourceSets),
        c.resolve(Tokens.ChangeSet),
        c.resolve(Tokens.ResolveFeatures),
        c.resolve(Tokens.ManageTokens),
      ),
  );
  provide(Tokens.FirstCredential, () => {
    const secret = env["TIDEGATE_ADMIN_TOKEN"];
    if (secret) return { secret, newFile: undefined };
    const { tokenFile } = config.admin;
    if (!tokenFile) return undefined;
    const found = credentialIn(tokenFile);
    return { secret: found.secret, newFile: found.isNew ? tokenFile : undefined };
  });

  provide(Tokens.ManageCredentials, (c) => {
    return new ManageCredentials(
      credentialStore(c, config),
      newSecret,
      c.resolve(Tokens.NewId),
      c.resolve(Tokens.Clock),
    );
  });

  provide(Tokens.IdentifyOperator, (c) => {
    const first = c.resolve(Tokens.FirstCredential);
    return new IdentifyOperator(credentialStore(c, config), c.resolve(Tokens.TokenResolver), {
      digestOf: secretDigest,
      first: first && { secret: first.secret, credential: firstCredential },
      maxStaleMs: config.cache.maxStaleSeconds.tokens * 1_000,
      now: () => performance.now(),
    });
  });

  provide(Tokens.LoadDemo, (c) => {
    const connections = [...c.resolve(Tokens.Connections).values()];
    const isEmpty = async () => (await Promise.all(connections.map((each) => each.isEmpty()))).every(Boolean);
    return new LoadDemo(isEmpty, c.resolve(Tokens.ChangeSet), c.resolve(Tokens.ManageTokens));
  });

  const tokensOfData = (c: DependencyContainer): TokensOfData | undefined => {
    const { tokens } = config;
    if (!tokens) return undefined;
    const store = connectionOf(c, tokens.connection).tokenStore(tokenKey(tokens, env));
    return { store, pepper: tokens.layout === "hashed" ? pepperMark(pepperOf(tokens, env)) : undefined };
  };

  provide(Tokens.ImportData, (c) => {
    const catalogue = c.resolve(Tokens.Catalogue);
    const { documents } = firstStore(c) ?? {};
    return new ImportData(c.resolve(Tokens.SourceSets), tokensOfData(c), documents, catalogue, c.resolve(Tokens.Clock));
  });

  provide(
    Tokens.ExportData,
    (c) => new ExportData(c.resolve(Tokens.SourceSets), tokensOfData(c), c.resolve(Tokens.Catalogue)),
  );

  provide(Tokens.AcceptStores, (c) => new AcceptStores(c.resolve(Tokens.Connections)));
  provide(Tokens.ViewCache, (c) => {
    const stores = [...c.resolve(Tokens.CachedSets)].map(([name, { cache }]): [string, RememberedSets] => [
      name,
      { peek: (key) => cache.peek(key), store: connectionOf(c, name).sets },
    ]);
    return new ViewCache(c.resolve(Tokens.Sources), new Map(stores), c.resolve(Tokens.Clock));
  });

  const idFor = (text: string) => uuidv5(text, namespace);

  provide(Tokens.CompleteSince, (c) => {
    const log = c.resolve(Tokens.ActivityLog);
    return new CompleteSince((id) => log.one(id), idFor, config.activity.environment, c.resolve(Tokens.Clock));
  });

  provide(Tokens.Outboxes, (c) => {
    const outboxes = new Map<string, Outbox>();
    for (const name of new Set(config.stores.values())) {
      outboxes.set(name, disposal.use(connectionOf(c, name).outbox()));
    }
    return outboxes;
  });

  provide(Tokens.DrainOutboxes, (c) => {
    const log = c.resolve(Tokens.Log);
    return new DrainOutboxes(c.resolve(Tokens.Outboxes), c.resolve(Tokens.ActivityLog), {
      environment: config.activity.environment,
      now: c.resolve(Tokens.Clock),
      idFor,
      foundUnusable: (connection, reason) => log.error({ connection, reason }, "a record was set aside"),
    });
  });

  const watchSettingsOf = (c: DependencyContainer, name: string): WatchSettings | undefined => {
    const connections = [...config.keys].filter(([connection]) => storeOf(connection) === name);
    const collections = [...new Set(connections.flatMap(([, keys]) => [...keys.collections]))];
    if (collections.length === 0) return undefined;
    const { documents, settings } = connectionOf(c, name);
    const drain = c.resolve(Tokens.DrainOutboxes);
    const store = { name, documents, settings, collections };
    return new WatchSettings(store, c.resolve(Tokens.History), drain, c.resolve(Tokens.NewId));
  };

  provide(Tokens.KeepRecords, (c) => {
    const log = c.resolve(Tokens.Log);
    const drain = c.resolve(Tokens.DrainOutboxes);
    const stored = c.resolve(Tokens.Sources).flatMap(({ resolver }) => resolver.stored ?? []);
    const kept = new Map<string, KeepRecords>();
    for (const [name, outbox] of c.resolve(Tokens.Outboxes)) {
      const families = onePerTemplate(stored.filter(({ connection }) => storeOf(connection) === name));
      const { changes, lease } = connectionOf(c, name);
      const watch =
        families.length > 0
          ? new WatchSets(
              { name, changes, families },
              c.resolve(Tokens.ActivityLog),
              c.resolve(Tokens.History),
              drain,
              c.resolve(Tokens.CompleteSince),
            )
          : undefined;
      const watchSettings = watchSettingsOf(c, name);
      const store = {
        name,
        outbox,
        lease: lease("records"),
        ...(watch && { watch }),
        ...(watchSettings && { watchSettings }),
      };
      const keeping = new KeepRecords(
        store,
        drain,
        {
          failed: (connection, cause) =>
            log.error({ connection, cause: causeText(cause) }, "changes wait for the activity log"),
          recovered: (connection) => log.info({ connection }, "changes reach the activity log again"),
          behind: (connection, backlog) =>
            log.error({ connection, ...backlog }, "many changes wait for the activity log"),
        },
        c.resolve(Tokens.Clock),
      );
      for (const [connection, feed] of c.resolve(Tokens.Feeds)) {
        if (storeOf(connection) === name) feed.listen((key) => keeping.changed(key));
      }
      disposal.defer(() => keeping.stop());
      kept.set(name, keeping);
    }
    return kept;
  });

  provide(Tokens.CheckRecords, (c) => new CheckRecords(c.resolve(Tokens.ActivityLog), c.resolve(Tokens.DrainOutboxes)));

  provide(
    Tokens.ReadActivity,
    (c) => new ReadActivity(c.resolve(Tokens.ActivityLog), () => c.resolve(Tokens.DrainOutboxes).execute()),
  );
  provide(Tokens.RecordActivity, (c) => {
    const ids = { newId: c.resolve(Tokens.NewId), idFor };
    return new RecordActivity(c.resolve(Tokens.ActivityLog), ids, c.resolve(Tokens.Clock));
  });
  provide(Tokens.ExpireActivity, (c) => {
    const { retentionDays: days, environment } = config.activity;
    if (days === undefined) return undefined;
    const log = c.resolve(Tokens.Log);
    const expiry = new ExpireActivity(c.resolve(Tokens.ActivityLog), {
      days,
      environment,
      newId: c.resolve(Tokens.NewId),
      now: c.resolve(Tokens.Clock),
      failed: (cause) => log.error({ cause: causeText(cause) }, "old events were not removed"),
    });
    disposal.defer(() => expiry.stop());
    return expiry;
  });
  provide(Tokens.TailActivity, (c) => new TailActivity(c.resolve(Tokens.ActivityLog)));
  provide(Tokens.EventStreams, () => {
    const streams = new EventStreams();
    disposal.defer(() => streams.close());
    return streams;
  });

  provide(Tokens.Counts, () => new Counts());
  provide(Tokens.CommandTimes, commandTimes);

  provide(Tokens.Metrics, (c) => {
    const counts = c.resolve(Tokens.Counts);
    const tokens = c.resolve(Tokens.CachedTokens);
    const sets = [...c.resolve(Tokens.CachedSets)];
    const observed = {
      calls: () => counts.calls(),
      answers: counts.answers,
      caches: [
        ...sets.map(([connection, { cache }]) => ({ connection, holds: "sets", usage: cache })),
        ...[...c.resolve(Tokens.CachedSettings)].map(([connection, { cache }]) => ({
          connection,
          holds: "settings",
          usage: cache,
        })),
        ...(config.tokens && tokens
          ? [{ connection: config.tokens.connection, holds: "tokens", usage: tokens.cache }]
          : []),
      ],
      feeds: c.resolve(Tokens.Feeds),
      sources: [...config.sources.map(({ name }) => name), ...(config.tokens ? [tokensSource] : [])],
      failures: c.resolve(Tokens.SourceStates).failures,
      backlogs: () => new Map([...c.resolve(Tokens.KeepRecords)].map(([name, { backlog }]) => [name, backlog])),
      setAside: () => c.resolve(Tokens.DrainOutboxes).setAside,
      providers: () => c.resolve(Tokens.ViewItems).states,
      now: c.resolve(Tokens.Clock),
    };
    return metricsOf(observed, c.resolve(Tokens.CommandTimes));
  });

  return {
    get: (token) => container.resolve(token),
    replace: (token, instance) => container.register(token, { useValue: instance }),
    [Symbol.asyncDispose]: () => disposal.disposeAsync(),
  };
}

/** A history that is asked by the names of connections. */
const byConnection = (history: History, storeOf: (connection: string) => string): History => ({
  setAt: (connection, ...rest) => history.setAt(storeOf(connection), ...rest),
  firstRecord: (connection, ...rest) => history.firstRecord(storeOf(connection), ...rest),
  turns: (connection, ...rest) => history.turns(storeOf(connection), ...rest),
  documentAt: (connection, ...rest) => history.documentAt(storeOf(connection), ...rest),
  documentsAt: (connection, ...rest) => history.documentsAt(storeOf(connection), ...rest),
  keys: (connection, ...rest) => history.keys(storeOf(connection), ...rest),
  revisions: (connection, ...rest) => history.revisions(storeOf(connection), ...rest),
  changesOf: (connection, ...rest) => history.changesOf(storeOf(connection), ...rest),
  documentChangesOf: (connection, ...rest) => history.documentChangesOf(storeOf(connection), ...rest),
});

const providersIn = (sources: readonly Source[]): readonly Provider[] =>
  sources.flatMap(({ name, resolver: { items } }) => (items ? [{ name, items }] : []));

/** What a source that cannot be asked about the past says of it. */
const unrecorded = (name: string): FeatureResolver => ({
  resolve: () => {
    throw new NotKnown([{ name }]);
  },
});

const connectionOf = (c: DependencyContainer, name: string): Connection => named(c.resolve(Tokens.Connections), name);

/** Where tokens are, credentials are too. */
function credentialStore(c: DependencyContainer, { tokens, connections }: Config): DocumentStore | undefined {
  const name = tokens?.connection ?? Object.keys(connections)[0];
  return name === undefined ? undefined : connectionOf(c, name).documents;
}

const feedOf = (c: DependencyContainer, name: string): ChangeFeed => named(c.resolve(Tokens.Feeds), name);

function named<T>(all: ReadonlyMap<string, T>, connection: string): T {
  const found = all.get(connection);
  if (!found) throw new Error(`no connection "${connection}" is configured; declare it under connections`);
  return found;
}

/** Two sources may read the same sets. */
const onePerTemplate = (stored: readonly StoredSet[]): readonly StoredSet[] =>
  stored.filter(({ key }, index) => stored.findIndex((other) => other.key.text === key.text) === index);

const limitsFor = ({ capacity, expirySeconds }: Config["cache"], maxStaleSeconds: number): CacheLimits => ({
  capacity,
  expiryMs: expirySeconds * 1_000,
  maxStaleMs: maxStaleSeconds * 1_000,
});

const tokenKey = (options: TokenOptions, env: NodeJS.ProcessEnv): TokenKey =>
  options.layout === "plain" ? plainTokenKey(options.key) : hashedTokenKey(pepperOf(options, env), options.key);

function pepperOf({ pepperFile }: TokenOptions, env: NodeJS.ProcessEnv): string | Buffer {
  const pepper = env["TIDEGATE_TOKEN_PEPPER"] || (pepperFile && pepperIn(pepperFile));
  if (!pepper) throw new SetupFailed("hashed tokens need a pepper; set TIDEGATE_TOKEN_PEPPER, or name a pepperFile");
  return pepper;
}

/** How a token's key is made a digest of; left out where the key is none of the token itself. */
function tokenDigest({ layout }: TokenOptions, env: NodeJS.ProcessEnv): ((key: string) => string) | undefined {
  const pepper = env["TIDEGATE_TOKEN_PEPPER"];
  return layout === "plain" && pepper ? pepperedDigest(pepper) : undefined;
}

const areDigestsSecret = (tokens: TokenOptions, env: NodeJS.ProcessEnv): boolean =>
  tokens.layout === "hashed" || tokenDigest(tokens, env) !== undefined;

/** What is wrong, for the log: of the activity log, which callers are told of in fixed words, what is behind that. */
function causeText(cause: unknown): string {
  if (cause instanceof LogUnavailable) return causeText(cause.cause);
  return cause instanceof Error ? cause.message : String(cause);
}
