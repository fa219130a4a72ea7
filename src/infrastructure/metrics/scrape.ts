import type { Worker } from "node:cluster";
import { type MetricObjectWithValues, type MetricValue, Registry } from "@prometheus-io/client";
import { gatherFromWorkers } from "../workers/gather.ts";

/** The metrics of one process, as plain data. */
export type Snapshot = readonly MetricObjectWithValues<MetricValue<string>>[];

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

/** Makes the primary process add the metrics of its workers when one is scraped. `name` is that of their reports. */
export function addUpWorkers(name: string): void {
  const totals = new Totals<Worker>();
  gatherFromWorkers<Snapshot, string>(name, {
    received: (worker, snapshot) => totals.report(worker, snapshot),
    ended: (worker) => totals.end(worker),
    merge: (reported) => metricsText(totals.sum(reported)),
  });
}
