import cluster, { type Worker } from "node:cluster";
import { type MetricObjectWithValues, type MetricValue, Registry } from "@prometheus-io/client";
import { waitAtMost, withDeadline } from "../../application/evaluation/deadline.ts";

/** The metrics of one process, as plain data. */
export type Snapshot = readonly MetricObjectWithValues<MetricValue<string>>[];

/** Limit for a worker to report its metrics, in milliseconds. A hung worker must not delay the others' metrics. */
const tellWithinMs = 1_000;

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
export class Totals<Teller> {
  readonly #counted = new Map<Teller, Snapshot>();
  #ended: Snapshot = [];

  /** Processes that have reported and not exited. */
  get tellers(): Iterable<Teller> {
    return this.#counted.keys();
  }

  told(teller: Teller, snapshot: Snapshot): void {
    this.#counted.set(
      teller,
      snapshot.filter(({ type }) => type !== "gauge"),
    );
  }

  ended(teller: Teller): void {
    this.#ended = add([this.#ended, this.#counted.get(teller) ?? []]);
    this.#counted.delete(teller);
  }

  /** The sum of all counters, and of the gauges of those that have just reported. */
  sum(told: ReadonlyMap<Teller, Snapshot>): Snapshot {
    const each = [...this.#counted].map(([teller, counted]) => told.get(teller) ?? counted);
    return add([this.#ended, ...each]);
  }
}

type FromWorker = { readonly scrape?: true; readonly told?: Snapshot };
type ToWorker = { readonly tell?: true; readonly scraped?: string };

/** Makes the primary process add the metrics of its workers when one of them is scraped. */
export function addUpWorkers(): void {
  const totals = new Totals<Worker>();
  let told = new Map<Worker, Snapshot>();
  let check = () => {};

  const gather = shared(async () => {
    const asked = [...totals.tellers];
    told = new Map();
    const all = new Promise<void>((resolve) => {
      check = () => asked.every((worker) => told.has(worker) || worker.isDead()) && resolve();
    });
    for (const worker of asked) send(worker, { tell: true });
    await waitAtMost(tellWithinMs, all);
    return textOf(totals.sum(told));
  });
  cluster.on("message", (worker, message: FromWorker) => {
    if (message.told && !worker.isDead()) {
      totals.told(worker, message.told);
      told.set(worker, message.told);
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
    totals.ended(worker);
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
  const tell = (message: FromWorker) => process.send?.(message, () => {});
  let scraped = (_: string) => {};
  process.on("message", async (message: ToWorker) => {
    if (message.tell) tell({ told: await snapshot() });
    if (message.scraped !== undefined) scraped(message.scraped);
  });
  // Reports at once, so that the primary process includes this worker from now on.
  tell({ told: [] });
  return shared(async () => {
    const answer = new Promise<string>((resolve) => {
      scraped = resolve;
    });
    tell({ scrape: true });
    return withDeadline(2 * tellWithinMs, () => answer);
  });
}

/** Shares one pending call among concurrent callers. */
function shared<T>(ask: () => Promise<T>): () => Promise<T> {
  let underWay: Promise<T> | undefined;
  return () => {
    underWay ??= ask().finally(() => {
      underWay = undefined;
    });
    return underWay;
  };
}
