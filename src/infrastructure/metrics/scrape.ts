import cluster, { type Worker } from "node:cluster";
import { type MetricObjectWithValues, type MetricValue, Registry } from "@prometheus-io/client";
import { waitAtMost, withDeadline } from "../../application/evaluation/deadline.ts";

/** The metrics of one process, as plain data. */
export type Snapshot = readonly MetricObjectWithValues<MetricValue<string>>[];

/** Limit for a worker to report its metrics, in milliseconds. A hung worker must not delay the others' metrics. */
const reportWithinMs = 1_000;

/** Snapshot of a registry. */
export const snapshotOf = (registry: Registry): Promise<Snapshot> => registry.getMetricsAsJSON();

/** Prometheus text format. */
export const textOf = (snapshot: Snapshot): Promise<string> => aggregate([snapshot]).metrics();

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

  /** Processes that have reported and not exited. */
  get reporters(): Iterable<Reporter> {
    return this.#counted.keys();
  }

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

type FromWorker = { readonly scrape?: true; readonly snapshot?: Snapshot };
type ToWorker = { readonly collect?: true; readonly scraped?: string };

/** Makes the primary process add the metrics of its workers when one of them is scraped. */
export function addUpWorkers(): void {
  const totals = new Totals<Worker>();
  let reported = new Map<Worker, Snapshot>();
  let check = () => {};

  const gather = shared(async () => {
    const workers = [...totals.reporters];
    reported = new Map();
    const all = new Promise<void>((resolve) => {
      check = () => workers.every((worker) => reported.has(worker) || worker.isDead()) && resolve();
    });
    for (const worker of workers) send(worker, { collect: true });
    await waitAtMost(reportWithinMs, all);
    return textOf(totals.sum(reported));
  });
  cluster.on("message", (worker, message: FromWorker) => {
    if (message.snapshot && !worker.isDead()) {
      totals.report(worker, message.snapshot);
      reported.set(worker, message.snapshot);
      check();
    }
    if (message.scrape) {
      gather().then(
        (scraped) => send(worker, { scraped }),
        // The requesting worker has its own timeout.
        () => {},
      );
    }
  });
  cluster.on("exit", (worker) => {
    totals.end(worker);
    check();
  });
}

/** The recipient may have exited. Without a callback that would throw. */
const send = (worker: Worker, message: ToWorker) => worker.send(message, () => {});

/**
 * Creates the scrape function: metrics of this process, or of all workers of the instance. Rejects if the primary
 * process does not respond within 2 s.
 */
export function scraper(snapshot: () => Promise<Snapshot>): () => Promise<string> {
  if (!cluster.isWorker) return async () => textOf(await snapshot());
  const toPrimary = (message: FromWorker) => process.send?.(message, () => {});
  let scraped = (_: string) => {};
  process.on("message", async (message: ToWorker) => {
    if (message.collect) toPrimary({ snapshot: await snapshot() });
    if (message.scraped !== undefined) scraped(message.scraped);
  });
  // Reports at once, so that the primary process includes this worker from now on.
  toPrimary({ snapshot: [] });
  return shared(async () => {
    const response = new Promise<string>((resolve) => {
      scraped = resolve;
    });
    toPrimary({ scrape: true });
    return withDeadline(2 * reportWithinMs, () => response);
  });
}

/** Shares one pending call among concurrent callers. */
function shared<T>(call: () => Promise<T>): () => Promise<T> {
  let pending: Promise<T> | undefined;
  return () => {
    pending ??= call().finally(() => {
      pending = undefined;
    });
    return pending;
  };
}
