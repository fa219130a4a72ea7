import type { DependencyContainer } from "tsyringe";
import { v5 as uuidv5 } from "uuid";
import { EventStreams } from "../../adapters/http/events/event-streams.ts";
import { CheckEventLog } from "../../application/events/check-event-log.ts";
import { ExpireEvents } from "../../application/events/expire-events.ts";
import { HistoryCoverage } from "../../application/events/history-coverage.ts";
import { type IdentifiableStore, IdentifyStores } from "../../application/events/identify-stores.ts";
import { OutboxRelay } from "../../application/events/outbox-relay.ts";
import { OutboxRelayJob } from "../../application/events/outbox-relay-job.ts";
import { ReadEvents } from "../../application/events/read-events.ts";
import { Rebase } from "../../application/events/rebase.ts";
import { RecordEvent } from "../../application/events/record-event.ts";
import { RuleReconciler } from "../../application/events/rule-reconciler.ts";
import { SetReconciler } from "../../application/events/set-reconciler.ts";
import { TailEvents } from "../../application/events/tail-events.ts";
import type { EditableSet } from "../../domain/admin/editable-set.ts";
import type { Outbox } from "../../domain/admin/outbox.ts";
import type { History } from "../../domain/events/history.ts";
import { openEventLog } from "../../infrastructure/event-log/open-event-log.ts";
import { ownCollections } from "../config/config.ts";
import { DiKeys } from "./di-keys.ts";
import { causeText, connectionOf, storeName, type Wiring } from "./wiring.ts";

/** Namespace of name-based UUIDs. A random constant. */
const namespace = "6f0f4d57-3b0c-4a65-9c07-0e3f7a1f2b9d";

/** Provides the event log and the outbox relay. */
export function provideRecords({ config, disposal, provide }: Wiring): void {
  const storeOf = (connection: string) => storeName(config, connection);

  const collectionsOf = (name: string): readonly string[] => {
    const connections = [...config.keys].filter(([connection]) => storeOf(connection) === name);
    return [...new Set(connections.flatMap(([, keys]) => [...keys.collections]))];
  };
  const identityOf = (c: DependencyContainer) => (connection: string) =>
    c.resolve(DiKeys.IdentifyStores).of(storeOf(connection));

  provide(DiKeys.IdentifyStores, (c) => {
    const { stores: known, history } = c.resolve(DiKeys.OpenEventLog);
    const stores = [...new Set(config.stores.values())].map((name): [string, IdentifiableStore] => {
      const { identity, changes, documents } = connectionOf(c, name);
      return [name, { identity, changes, documents, collections: [...ownCollections, ...collectionsOf(name)] }];
    });
    return new IdentifyStores(new Map(stores), known, history);
  });

  provide(DiKeys.OpenEventLog, (c) => disposal.use(openEventLog(config.eventLog, c.resolve(DiKeys.Log))));
  provide(DiKeys.EventLog, (c) => c.resolve(DiKeys.OpenEventLog).log);
  provide(DiKeys.History, (c) => byConnection(c.resolve(DiKeys.OpenEventLog).history, identityOf(c)));

  const idFor = (text: string) => uuidv5(text, namespace);

  provide(DiKeys.HistoryCoverage, (c) => {
    const log = c.resolve(DiKeys.EventLog);
    const namesOf = (store: string) => c.resolve(DiKeys.IdentifyStores).namesOf(store);
    return new HistoryCoverage((id) => log.one(id), namesOf, idFor, config.events.environment, c.resolve(DiKeys.Clock));
  });

  provide(DiKeys.Outboxes, (c) => {
    const outboxes = new Map<string, Outbox>();
    for (const name of new Set(config.stores.values())) {
      outboxes.set(name, disposal.use(connectionOf(c, name).outbox()));
    }
    return outboxes;
  });

  const familiesOf = (c: DependencyContainer, name: string): readonly EditableSet[] => {
    const stored = c.resolve(DiKeys.Sources).flatMap(({ editableSet }) => editableSet ?? []);
    return onePerTemplate(stored.filter(({ connection }) => storeOf(connection) === name));
  };

  provide(DiKeys.OutboxRelay, (c) => {
    const log = c.resolve(DiKeys.Log);
    const storeOf = (name: string) => {
      const { changes, documents } = connectionOf(c, name);
      return { changes, documents, families: familiesOf(c, name) };
    };
    const rebase = new Rebase(storeOf, c.resolve(DiKeys.NewId));
    return new OutboxRelay(c.resolve(DiKeys.Outboxes), c.resolve(DiKeys.EventLog), {
      environment: config.events.environment,
      now: c.resolve(DiKeys.Clock),
      identityOf: identityOf(c),
      idFor,
      rebase: (connection, record) => rebase.rebase(connection, record),
      foundUnusable: (connection, reason) =>
        log.error({ connection, reason }, "change record rejected; kept as a dead letter"),
    });
  });

  const watchRulesOf = (c: DependencyContainer, name: string): RuleReconciler | undefined => {
    const collections = collectionsOf(name);
    if (collections.length === 0) return undefined;
    const { documents, rules } = connectionOf(c, name);
    const drain = c.resolve(DiKeys.OutboxRelay);
    const store = { name, documents, rules, collections };
    return new RuleReconciler(store, c.resolve(DiKeys.History), drain, c.resolve(DiKeys.NewId));
  };

  provide(DiKeys.OutboxRelayJobs, (c) => {
    const log = c.resolve(DiKeys.Log);
    const drain = c.resolve(DiKeys.OutboxRelay);
    const kept = new Map<string, OutboxRelayJob>();
    for (const [name, outbox] of c.resolve(DiKeys.Outboxes)) {
      const families = familiesOf(c, name);
      const { index, changes, identity, lease } = connectionOf(c, name);
      const watch =
        families.length > 0
          ? new SetReconciler(
              { name, index, changes, families },
              c.resolve(DiKeys.EventLog),
              c.resolve(DiKeys.History),
              drain,
              c.resolve(DiKeys.HistoryCoverage),
            )
          : undefined;
      const watchRules = watchRulesOf(c, name);
      const store = {
        name,
        identity,
        outbox,
        lease: lease("records"),
        ...(watch && { watch }),
        ...(watchRules && { watchRules }),
      };
      const keeping = new OutboxRelayJob(
        store,
        drain,
        {
          failed: (connection, cause) =>
            log.error({ connection, cause: causeText(cause) }, "event log unavailable; changes wait in the outbox"),
          recovered: (connection) => log.info({ connection }, "event log available again"),
          behind: (connection, backlog) =>
            log.error({ connection, ...backlog }, "outbox is growing; the event log is unavailable or slow"),
        },
        c.resolve(DiKeys.Clock),
      );
      for (const [connection, feed] of c.resolve(DiKeys.Feeds)) {
        if (storeOf(connection) === name) feed.subscribe((key) => keeping.changed(key));
      }
      disposal.defer(() => keeping.stop());
      kept.set(name, keeping);
    }
    return kept;
  });

  provide(DiKeys.CheckEventLog, (c) => new CheckEventLog(c.resolve(DiKeys.EventLog), c.resolve(DiKeys.OutboxRelay)));

  provide(
    DiKeys.ReadEvents,
    (c) => new ReadEvents(c.resolve(DiKeys.EventLog), () => c.resolve(DiKeys.OutboxRelay).relayAll()),
  );

  provide(DiKeys.RecordEvent, (c) => {
    const ids = { newId: c.resolve(DiKeys.NewId), idFor };
    return new RecordEvent(c.resolve(DiKeys.EventLog), ids, c.resolve(DiKeys.Clock));
  });

  provide(DiKeys.ExpireEvents, (c) => {
    const { retentionDays: days, environment } = config.events;
    if (days === undefined) return undefined;
    const log = c.resolve(DiKeys.Log);
    const expiry = new ExpireEvents(c.resolve(DiKeys.EventLog), {
      days,
      environment,
      newId: c.resolve(DiKeys.NewId),
      now: c.resolve(DiKeys.Clock),
      failed: (cause) => log.error({ cause: causeText(cause) }, "cannot delete expired events"),
    });
    disposal.defer(() => expiry.stop());
    return expiry;
  });

  provide(DiKeys.TailEvents, (c) => new TailEvents(c.resolve(DiKeys.EventLog)));

  provide(DiKeys.EventStreams, () => {
    const streams = new EventStreams();
    disposal.defer(() => streams.close());
    return streams;
  });
}

/** A history that takes connection names in place of store identities. */
const byConnection = (history: History, identityOf: (connection: string) => Promise<string>): History => ({
  setAt: async (connection, ...rest) => history.setAt(await identityOf(connection), ...rest),
  firstRecord: async (connection, ...rest) => history.firstRecord(await identityOf(connection), ...rest),
  lastChanges: async (connection, ...rest) => history.lastChanges(await identityOf(connection), ...rest),
  documentAt: async (connection, ...rest) => history.documentAt(await identityOf(connection), ...rest),
  documentsAt: async (connection, ...rest) => history.documentsAt(await identityOf(connection), ...rest),
  keys: async (connection, ...rest) => history.keys(await identityOf(connection), ...rest),
  revisions: async (connection, ...rest) => history.revisions(await identityOf(connection), ...rest),
  changesOf: async (connection, ...rest) => history.changesOf(await identityOf(connection), ...rest),
  documentChangesOf: async (connection, ...rest) => history.documentChangesOf(await identityOf(connection), ...rest),
});

/** Removes duplicates: two sources may read the same sets. */
const onePerTemplate = (stored: readonly EditableSet[]): readonly EditableSet[] =>
  stored.filter(({ key }, index) => stored.findIndex((other) => other.key.text === key.text) === index);
