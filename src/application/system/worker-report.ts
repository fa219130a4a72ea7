import type { ManagedSource } from "../../domain/admin/managed-source.ts";
import { errorMessage } from "../../domain/error-message.ts";
import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import type { Backlog } from "../../domain/events/outbox.ts";
import type { ChangesState, CheckChanges } from "../evaluation/check-changes.ts";
import type { CheckReadiness } from "../evaluation/check-readiness.ts";
import type { SourceStates } from "../evaluation/source-states.ts";
import type { CheckEventLog, LogState } from "../events/check-event-log.ts";
import { type SourceStatus, statusOf } from "../features/source-status.ts";
import type { RecentTraffic, TrafficPoint } from "./recent-traffic.ts";

/** The state of a source in one worker. */
export type SourceReport = SourceStatus & {
  readonly name: string;
  readonly failures: number;
  readonly lastError: { readonly at: Instant; readonly message: string } | null;
  /** The faults in its data. */
  readonly faults: readonly string[];
};

/** A cache of one worker. `size`: number of keys. */
export type CacheReport = {
  readonly connection: string;
  readonly content: string;
  readonly size: number;
  readonly hits: number;
  readonly misses: number;
  readonly stale: number;
};

/** The state of a store in one worker. */
export type StoreReport = {
  readonly name: string;
  readonly state: "answering" | "failing";
  /** Whether every invalidation arrives; `null` if nothing of the store is cached. */
  readonly isSynced: boolean | null;
  readonly changes: ChangesState;
};

/** The state of one worker and of its dependencies. JSON, so that it can be sent to other processes. */
export type WorkerReport = {
  readonly pid: number;
  readonly startedAt: Instant;
  readonly residentBytes: number;
  readonly sources: readonly SourceReport[];
  readonly stores: readonly StoreReport[];
  readonly caches: readonly CacheReport[];
  readonly log: LogState;
  /** The backlog of each store's outbox; `null` if the store does not answer. */
  readonly waiting: Readonly<Record<string, Backlog | null>>;
  readonly deadLetters: number;
  /** Open streams, by kind. */
  readonly streams: Readonly<Record<string, number>>;
  readonly traffic: readonly TrafficPoint[];
};

/** The services that a report reads. */
export type Reported = {
  readonly process: () => Pick<WorkerReport, "pid" | "startedAt" | "residentBytes">;
  readonly sources: readonly ManagedSource[];
  readonly states: SourceStates;
  readonly readiness: CheckReadiness;
  readonly changes: CheckChanges;
  readonly records: CheckEventLog;
  readonly isSynced: (store: string) => boolean | null;
  readonly caches: () => readonly CacheReport[];
  readonly streams: () => WorkerReport["streams"];
  readonly traffic: RecentTraffic;
  readonly now: () => Instant;
};

/** Reports the state of this process. Never rejects. */
export async function reportOf(reported: Reported): Promise<WorkerReport> {
  const at = reported.now();
  const [statuses, { connections }, changes, { log, waiting, deadLetters }] = await Promise.all([
    Promise.all(reported.sources.map((source) => statusOf(source, at))),
    reported.readiness.check(),
    reported.changes.check(),
    reported.records.check(),
  ]);
  const { failures, lastFailures } = reported.states;
  return {
    ...reported.process(),
    sources: reported.sources.map(({ name, faults }, index): SourceReport => {
      const last = lastFailures.get(name);
      return {
        name,
        ...(statuses[index] ?? { state: "unavailable", stale: false }),
        failures: failures.get(name) ?? 0,
        lastError: last ? { at: last.at, message: errorMessage(last.cause) } : null,
        faults: faults(),
      };
    }),
    stores: Object.entries(connections).map(([name, state]) => ({
      name,
      state,
      isSynced: reported.isSynced(name),
      changes: changes[name] ?? { state: "unknown" },
    })),
    caches: reported.caches(),
    log,
    waiting: Object.fromEntries(Object.entries(waiting).map(([store, backlog]) => [store, backlog ?? null])),
    deadLetters,
    streams: reported.streams(),
    traffic: reported.traffic.points(),
  };
}
