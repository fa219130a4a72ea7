import type { Worker } from "node:cluster";
import { type MetricObjectWithValues, type MetricValue, Registry } from "@prometheus-io/client";
import { gatherFromWorkers } from "../workers/gather.ts";

/** The metrics of one process, as plain data. */
export type MetricsSnapshot = readonly MetricObjectWithValues<MetricValue<string>>[];

/** Prometheus text format. */
export const metricsText = (snapshot: MetricsSnapshot): Promise<string> => aggregate([snapshot]).metrics();

const aggregate = (snapshots: readonly MetricsSnapshot[]): Registry =>
  Registry.aggregate(snapshots.map((each) => [...each]));

/** The metrics of an aggregate are already values. */
const add = (snapshots: readonly MetricsSnapshot[]): MetricsSnapshot =>
  aggregate(snapshots).getMetricsAsArray() as MetricsSnapshot[number][];

/**
 * Adds the metrics of several processes. The last counters of one that has exited or does not respond stay in the sum,
 * so that no counter decreases. Its gauges are dropped.
 */
export class Totals<Reporter> {
  readonly #counted = new Map<Reporter, MetricsSnapshot>();
  #ended: MetricsSnapshot = [];

  report(reporter: Reporter, snapshot: MetricsSnapshot): void {
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
  sum(reported: ReadonlyMap<Reporter, MetricsSnapshot>): MetricsSnapshot {
    const each = [...this.#counted].map(([reporter, counted]) => reported.get(reporter) ?? counted);
    return add([this.#ended, ...each]);
  }
}

/** Makes the primary process add the metrics of its workers when one is scraped. `name` is that of their reports. */
export function addUpWorkers(name: string): void {
  const totals = new Totals<Worker>();
  gatherFromWorkers<MetricsSnapshot, string>(name, {
    received: (worker, snapshot) => totals.report(worker, snapshot),
    ended: (worker) => totals.end(worker),
    merge: (reported) => metricsText(totals.sum(reported)),
  });
}
