import type { DependencyContainer } from "tsyringe";
import { v5 as uuidv5 } from "uuid";
import { EventStreams } from "../adapters/http/event-streams.ts";
import { CheckRecords } from "../application/check-records.ts";
import { CompleteSince } from "../application/complete-since.ts";
import { DrainOutboxes } from "../application/drain-outboxes.ts";
import { ExpireActivity } from "../application/expire-activity.ts";
import { type IdentifiableStore, IdentifyStores } from "../application/identify-stores.ts";
import { KeepRecords } from "../application/keep-records.ts";
import { ReadActivity } from "../application/read-activity.ts";
import { RecordActivity } from "../application/record-activity.ts";
import { TailActivity } from "../application/tail-activity.ts";
import { WatchSets } from "../application/watch-sets.ts";
import { WatchSettings } from "../application/watch-settings.ts";
import { ownCollections } from "../config.ts";
import type { History } from "../domain/history.ts";
import type { Outbox } from "../domain/outbox.ts";
import type { StoredSet } from "../domain/stored-set.ts";
import { openActivity } from "../infrastructure/activity/activity.ts";
import { Tokens } from "../tokens.ts";
import { causeText, connectionOf, storeName, type Wiring } from "./wiring.ts";

/** Of the ids that follow from a text: made once, at random. */
const namespace = "6f0f4d57-3b0c-4a65-9c07-0e3f7a1f2b9d";

/** The activity log, and how the records of changes get there. */
export function provideRecords({ config, disposal, provide }: Wiring): void {
  const storeOf = (connection: string) => storeName(config, connection);

  const collectionsOf = (name: string): readonly string[] => {
    const connections = [...config.keys].filter(([connection]) => storeOf(connection) === name);
    return [...new Set(connections.flatMap(([, keys]) => [...keys.collections]))];
  };
  const identityOf = (c: DependencyContainer) => (connection: string) =>
    c.resolve(Tokens.IdentifyStores).of(storeOf(connection));

  provide(Tokens.IdentifyStores, (c) => {
    const { stores: known, history } = c.resolve(Tokens.Activity);
    const stores = [...new Set(config.stores.values())].map((name): [string, IdentifiableStore] => {
      const { identity, changes, documents } = connectionOf(c, name);
      return [name, { identity, changes, documents, collections: [...ownCollections, ...collectionsOf(name)] }];
    });
    return new IdentifyStores(new Map(stores), known, history);
  });

  provide(Tokens.Activity, (c) => disposal.use(openActivity(config.activityLog, c.resolve(Tokens.Log))));
  provide(Tokens.ActivityLog, (c) => c.resolve(Tokens.Activity).log);
  provide(Tokens.History, (c) => byConnection(c.resolve(Tokens.Activity).history, identityOf(c)));

  const idFor = (text: string) => uuidv5(text, namespace);

  provide(Tokens.CompleteSince, (c) => {
    const log = c.resolve(Tokens.ActivityLog);
    const namesOf = (store: string) => c.resolve(Tokens.IdentifyStores).namesOf(store);
    return new CompleteSince((id) => log.one(id), namesOf, idFor, config.activity.environment, c.resolve(Tokens.Clock));
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
      identityOf: identityOf(c),
      idFor,
      foundUnusable: (connection, reason) => log.error({ connection, reason }, "a record was set aside"),
    });
  });

  const watchSettingsOf = (c: DependencyContainer, name: string): WatchSettings | undefined => {
    const collections = collectionsOf(name);
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
}

/** A history that is asked by the names of connections. */
const byConnection = (history: History, identityOf: (connection: string) => Promise<string>): History => ({
  setAt: async (connection, ...rest) => history.setAt(await identityOf(connection), ...rest),
  firstRecord: async (connection, ...rest) => history.firstRecord(await identityOf(connection), ...rest),
  turns: async (connection, ...rest) => history.turns(await identityOf(connection), ...rest),
  documentAt: async (connection, ...rest) => history.documentAt(await identityOf(connection), ...rest),
  documentsAt: async (connection, ...rest) => history.documentsAt(await identityOf(connection), ...rest),
  keys: async (connection, ...rest) => history.keys(await identityOf(connection), ...rest),
  revisions: async (connection, ...rest) => history.revisions(await identityOf(connection), ...rest),
  changesOf: async (connection, ...rest) => history.changesOf(await identityOf(connection), ...rest),
  documentChangesOf: async (connection, ...rest) => history.documentChangesOf(await identityOf(connection), ...rest),
});

/** Two sources may read the same sets. */
const onePerTemplate = (stored: readonly StoredSet[]): readonly StoredSet[] =>
  stored.filter(({ key }, index) => stored.findIndex((other) => other.key.text === key.text) === index);
