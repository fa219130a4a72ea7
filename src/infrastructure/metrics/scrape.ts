import cluster, { type Worker } from "node:cluster";
import { type MetricObjectWithValues, type MetricValue, Registry } from "@prometheus-io/client";
import { gatherer, gatherFromWorkers } from "../workers/gather.ts";

/** The metrics of one process, as plain data. */
export type Snapshot = readonly MetricObjectWithValues<MetricValue<string>>[];

/** Snapshot of a registry. */
export const snapshotOf = (registry: Registry): Promise<Snapshot> => registry.getMetricsAsJSON();

/** Prometheus text format. */
export const metricsText = (snapshot: Snapshot): Promise<string> => aggregate([snapshot]).metrics();

const aggregate = (snapshots: readonly Snapshot[]): Registry => Registry.aggregate(snapshots.map((each) => [...each]));

/** The metrics of an aggregate are already values. */
const add = (snapshots: readonly Snapshot[]): Snapshot =>
  aggregate(snapshots).getMetricsAsArray() as Snapshot[number][];

/**
 * Adds the metrics of several processes. The last counters of one that has exited or does not respond stay in the sum,
 * so that no counter decreases. Its gauges are dropped.
 */
export class Totals<Reporter> {
  readonly #counted = new Map<Reporter, Snapshot>();
  #ended: Snapshot = [];

  report(reporter: Reporter, snapshot: Snapshot): void {
    this.#counted.set(
      reporter,
      snapshot.filter(({ type }) => type !== "gauge"),
    );
  }

  end(reporter: Reporter): void {
    this.#ended = add([this.#ended, this.#counted.get(reporter) ?? []]);
    this.#counted.delete(reporter);
  }

  /** The sum of all counters, and of the gauges of those that have just reported. */
  sum(reported: ReadonlyMap<Reporter, Snapshot>): Snapshot {
    const each = [...this.#counted].map(([reporter, counted]) => reported.get(reporter) ?? counted);
    return add([this.#ended, ...each]);
  }
}

/** The kind of report. */
const kind = "metrics";

/** Makes the primary process add the metrics of its workers when one of them is scraped. */
export function addUpWorkers(): void {
  const totals = new Totals<Worker>();
  gatherFromWorkers<Snapshot, string>(kind, {
    received: (worker, snapshot) => totals.report(worker, snapshot),
    ended: (worker) => totals.end(worker),
    merge: (reported) => metricsText(totals.sum(reported)),
  });
}

/**
 * Creates the scrape function: metrics of this process, or of all workers of the instance. Rejects if the primary
 * process does not respond within 2 s.
 */
export const scraper = (snapshot: () => Promise<Snapshot>): (() => Promise<string>) =>
  cluster.isWorker ? gatherer(kind, snapshot) : async () => metricsText(await snapshot());
