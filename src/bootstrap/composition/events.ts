import { v5 as uuidv5 } from "uuid";
import { EventStreams } from "../../adapters/http/events/event-streams.ts";
import { CheckEventLog } from "../../application/events/check-event-log.ts";
import { ExpireEvents } from "../../application/events/expire-events.ts";
import { historyCoverage } from "../../application/events/history-coverage.ts";
import { type IdentifiableStore, IdentifyStores } from "../../application/events/identify-stores.ts";
import { OutboxRelay } from "../../application/events/outbox-relay.ts";
import { OutboxRelayJob } from "../../application/events/outbox-relay-job.ts";
import { ReadEvents } from "../../application/events/read-events.ts";
import { rebase } from "../../application/events/rebase.ts";
import { recordEvent } from "../../application/events/record-event.ts";
import { RuleReconciler } from "../../application/events/rule-reconciler.ts";
import { SetReconciler } from "../../application/events/set-reconciler.ts";
import { TailEvents } from "../../application/events/tail-events.ts";
import { CountUsage } from "../../application/usage/count-usage.ts";
import { ReadUsage } from "../../application/usage/read-usage.ts";
import { RecordUsage } from "../../application/usage/record-usage.ts";
import type { EditableSet } from "../../domain/admin/editable-set.ts";
import type { History } from "../../domain/events/history.ts";
import type { Outbox } from "../../domain/events/outbox.ts";
import { ownCollections } from "../config/schema-tools.ts";
import type { Evaluation } from "./evaluation.ts";
import { lazy, once } from "./lazy.ts";
import type { Stores } from "./stores.ts";
import { causeText, type Wiring } from "./wiring.ts";

export type Events = ReturnType<typeof eventsOf>;

/** Namespace of name-based UUIDs. A random constant. */
const namespace = "6f0f4d57-3b0c-4a65-9c07-0e3f7a1f2b9d";
const idFor = (text: string): string => uuidv5(text, namespace);

/** Events: the relay of change records to the event log, its history, and the readers and writers of the log. */
export function eventsOf(wiring: Wiring, stores: Stores, evaluation: Evaluation) {
  const { config, disposal, now, newId } = wiring;
  const { environment, retentionDays } = config.events;
  const { connectionOf, storeOf } = stores;
  const storeNames = new Set(config.stores.values());
  const log = () => stores.eventLog.log;

  const identifyStores = once(() => {
    const { stores: known, history } = stores.eventLog;
    const identifiable = [...storeNames].map((name): [string, IdentifiableStore] => {
      const { identity, changes, documents } = connectionOf(name);
      return [name, { identity, changes, documents, collections: [...ownCollections, ...collectionsOf(name)] }];
    });
    return new IdentifyStores(new Map(identifiable), known, history);
  });
  const identityOf = (connection: string) => identifyStores().of(storeOf(connection));

  const history = once(() => byConnection(stores.eventLog.history, identityOf));

  const coverage = once(() => {
    const namesOf = (store: string) => identifyStores().namesOf(store);
    return historyCoverage((id) => log().one(id), namesOf, idFor, environment, now);
  });

  const outboxes = once(() => {
    const opened = new Map<string, Outbox>();
    for (const name of storeNames) opened.set(name, disposal.use(connectionOf(name).outbox()));
    return opened;
  });

  const outboxRelay = once(() => {
    const foundUnusable = (connection: string, reason: string) =>
      wiring.log.error({ connection, reason }, "change record rejected; kept as a dead letter");
    const storeNamed = (name: string) => {
      const { changes, documents } = connectionOf(name);
      return { changes, documents, editableSets: editableSetsOf(name) };
    };
    const options = { environment, now, identityOf, idFor, rebase: rebase(storeNamed, newId), foundUnusable };
    return new OutboxRelay(outboxes(), log(), options);
  });
  const relayAll = () => outboxRelay().relayAll();

  /** The job of each store that relays its outbox and records outside changes. */
  const outboxRelayJobs = once(() => {
    const jobs = new Map<string, OutboxRelayJob>();
    for (const [name, outbox] of outboxes()) {
      const { identity, lease } = connectionOf(name);
      const sets = setReconciler(name);
      const rules = ruleReconciler(name);
      const store = {
        name,
        identity,
        outbox,
        lease: lease("records"),
        ...(sets && { sets }),
        ...(rules && { rules }),
      };
      const job = new OutboxRelayJob(
        store,
        outboxRelay(),
        {
          failed: (connection, cause) =>
            wiring.log.error(
              { connection, cause: causeText(cause) },
              "cannot relay change records to the event log; they wait in the outbox",
            ),
          recovered: (connection) => wiring.log.info({ connection }, "change records reach the event log again"),
          behind: (connection, backlog) =>
            wiring.log.error({ connection, ...backlog }, "outbox is growing; the event log is unavailable or slow"),
        },
        now,
      );
      for (const [connection, feed] of stores.invalidationFeeds) {
        if (storeOf(connection) === name) feed.subscribe((key) => job.changed(key));
      }
      disposal.defer(() => job.stop());
      jobs.set(name, job);
    }
    return jobs;
  });

  function setReconciler(name: string): SetReconciler | undefined {
    const editableSets = editableSetsOf(name);
    if (editableSets.length === 0) return undefined;
    const { index, changes } = connectionOf(name);
    const store = { name, index, changes, editableSets };
    return new SetReconciler(store, log(), history(), outboxRelay(), coverage());
  }

  function ruleReconciler(name: string): RuleReconciler | undefined {
    const collections = collectionsOf(name);
    if (collections.length === 0) return undefined;
    const { documents, rules } = connectionOf(name);
    return new RuleReconciler({ name, documents, rules, collections }, history(), outboxRelay(), newId);
  }

  /** The sets of a store that sources read, each template once: two sources may read the same sets. */
  function editableSetsOf(name: string): readonly EditableSet[] {
    const all = evaluation.sources.flatMap(({ editableSet }) => editableSet ?? []);
    const own = all.filter(({ connection }) => storeOf(connection) === name);
    return own.filter(({ key }, index) => own.findIndex((other) => other.key.text === key.text) === index);
  }

  /** The collections of a store that have rules. */
  function collectionsOf(name: string): readonly string[] {
    const ofStore = [...config.keys].filter(([connection]) => storeOf(connection) === name);
    return [...new Set(ofStore.flatMap(([, { collections }]) => [...collections]))];
  }

  /** Known features, as far as there is a register of them. */
  const countUsage = once(() => new CountUsage(async () => (await evaluation.featureRegister?.read())?.value));

  const recordUsage = once(() => {
    const recorder = new RecordUsage(
      countUsage(),
      stores.eventLog.usage,
      {
        failed: (cause) => wiring.log.warn({ cause: causeText(cause) }, "usage counts wait for the event log"),
        recovered: () => wiring.log.info("usage counts are recorded again"),
      },
      now,
    );
    disposal.defer(() => recorder.stop());
    return recorder;
  });

  return lazy({
    history,
    historyCoverage: coverage,
    outboxRelay,
    outboxRelayJobs,
    checkEventLog: () => new CheckEventLog(log(), outboxRelay()),
    readEvents: () => new ReadEvents(log(), relayAll),
    recordEvent: () => recordEvent(log(), { newId, idFor }, now),
    tailEvents: () => new TailEvents(log()),
    countUsage,
    recordUsage,
    readUsage: () => new ReadUsage(stores.eventLog.usage, recordUsage(), now),
    /** `undefined` if events are retained without limit. */
    expireEvents: () => {
      if (retentionDays === undefined) return undefined;
      const failed = (cause: unknown) => wiring.log.error({ cause: causeText(cause) }, "cannot delete expired events");
      const expiry = new ExpireEvents(log(), { days: retentionDays, environment, newId, now, failed });
      disposal.defer(() => expiry.stop());
      return expiry;
    },
    eventStreams: () => {
      const streams = new EventStreams();
      disposal.defer(() => streams.close());
      return streams;
    },
  });
}

/** A history that takes connection names in place of store identities. */
const byConnection = (history: History, identityOf: (connection: string) => Promise<string>): History => ({
  setAt: async (connection, ...rest) => history.setAt(await identityOf(connection), ...rest),
  firstRecord: async (connection, ...rest) => history.firstRecord(await identityOf(connection), ...rest),
  lastChanges: async (connection, ...rest) => history.lastChanges(await identityOf(connection), ...rest),
  lastChangeOf: async (connection, ...rest) => history.lastChangeOf(await identityOf(connection), ...rest),
  changedFeatures: async (connection, ...rest) => history.changedFeatures(await identityOf(connection), ...rest),
  documentAt: async (connection, ...rest) => history.documentAt(await identityOf(connection), ...rest),
  documentsAt: async (connection, ...rest) => history.documentsAt(await identityOf(connection), ...rest),
  keys: async (connection, ...rest) => history.keys(await identityOf(connection), ...rest),
  revisions: async (connection, ...rest) => history.revisions(await identityOf(connection), ...rest),
  changesOf: async (connection, ...rest) => history.changesOf(await identityOf(connection), ...rest),
  documentChangesOf: async (connection, ...rest) => history.documentChangesOf(await identityOf(connection), ...rest),
});
