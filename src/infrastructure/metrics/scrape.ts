import cluster, { type Worker } from "node:cluster";
import { type MetricObjectWithValues, type MetricValue, Registry } from "@prometheus-io/client";
import { waitAtMost, withDeadline } from "../../application/evaluation/deadline.ts";

/** What one process tells, as plain data. */
export type Snapshot = readonly MetricObjectWithValues<MetricValue<string>>[];

/** How long a worker may take to tell; one that hangs must not hold up the others' figures. */
const tellWithinMs = 1_000;

/** What a registry holds at this moment. */
export const snapshotOf = (registry: Registry): Promise<Snapshot> => registry.getMetricsAsJSON();

/** Prometheus' text format. */
export const textOf = (snapshot: Snapshot): Promise<string> => aggregate([snapshot]).metrics();

const aggregate = (snapshots: readonly Snapshot[]): Registry => Registry.aggregate(snapshots.map((each) => [...each]));

/** An aggregate's metrics are values already. */
const add = (snapshots: readonly Snapshot[]): Snapshot =>
  aggregate(snapshots).getMetricsAsArray() as Snapshot[number][];

/**
 * Adds up what several tell. What one has counted stays in the sum when it ends or does not answer, as it was told last,
 * so that no counter goes down; its gauges do not.
 */
export class Totals<Teller> {
  readonly #counted = new Map<Teller, Snapshot>();
  #ended: Snapshot = [];

  /** Those who have told, and have not ended. */
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

  /** The sum; of those that have just told, with their gauges. */
  sum(told: ReadonlyMap<Teller, Snapshot>): Snapshot {
    const each = [...this.#counted].map(([teller, counted]) => told.get(teller) ?? counted);
    return add([this.#ended, ...each]);
  }
}

type FromWorker = { readonly scrape?: true; readonly told?: Snapshot };
type ToWorker = { readonly tell?: true; readonly scraped?: string };

/** Makes the process that forks workers add up what they tell, for the one that is asked. */
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
        // Who asked stops waiting by itself.
        () => {},
      );
    }
  });
  cluster.on("exit", (worker) => {
    totals.ended(worker);
    check();
  });
}

/** To one that may be gone by now; without a callback that would be thrown. */
const send = (worker: Worker, message: ToWorker) => worker.send(message, () => {});

/**
 * What answers a scrape: the figures of this process, or of all workers where it is one of several. Rejects when the
 * process that forked it does not answer within two seconds.
 */
export function scraper(snapshot: () => Promise<Snapshot>): () => Promise<string> {
  if (!cluster.isWorker) return async () => textOf(await snapshot());
  const tell = (message: FromWorker) => process.send?.(message, () => {});
  let scraped = (_: string) => {};
  process.on("message", async (message: ToWorker) => {
    if (message.tell) tell({ told: await snapshot() });
    if (message.scraped !== undefined) scraped(message.scraped);
  });
  // So that it is asked from when it can tell.
  tell({ told: [] });
  return shared(async () => {
    const answer = new Promise<string>((resolve) => {
      scraped = resolve;
    });
    tell({ scrape: true });
    return withDeadline(2 * tellWithinMs, () => answer);
  });
}

/** The same, but who asks while an answer is under way gets that one. */
function shared<T>(ask: () => Promise<T>): () => Promise<T> {
  let underWay: Promise<T> | undefined;
  return () => {
    underWay ??= ask().finally(() => {
      underWay = undefined;
    });
    return underWay;
  };
}
