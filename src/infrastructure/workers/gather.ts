import cluster, { type Worker } from "node:cluster";
import { waitAtMost, withDeadline } from "../../application/async/deadline.ts";
import { shared } from "../../application/async/shared.ts";

/** Default limit for a worker to report, in milliseconds. A hung worker must not delay the others' reports. */
const reportWithinMs = 1_000;
/** Limit for the primary process to respond, in milliseconds. */
const gatherWithinMs = 2_000;

/** Messages about one kind of report. */
type FromWorker = { readonly gather?: string; readonly joins?: true; readonly asks?: true; readonly report?: unknown };
type ToWorker = { readonly gather?: string; readonly isDue?: true; readonly gathered?: unknown };

/** The primary's handling of the reports of its workers. */
export type Gathering<Report, Gathered> = {
  /** Limit for a worker to report, in milliseconds. Default: 1 s. */
  readonly withinMs?: number;
  /** Called with each report, also with one that comes too late. */
  readonly received?: (worker: Worker, report: Report) => void;
  /** Called when a worker has exited. */
  readonly ended?: (worker: Worker) => void;
  /** Merges the reports of the workers that reported in time. `missing`: the number of the others. */
  readonly merge: (reports: ReadonlyMap<Worker, Report>, missing: number) => Gathered | Promise<Gathered>;
};

/**
 * Makes the primary process gather reports of its workers when one of them requests it. `name` is the kind of report.
 */
export function gatherFromWorkers<Report, Gathered>(name: string, gathering: Gathering<Report, Gathered>): void {
  const { withinMs = reportWithinMs, received, ended, merge } = gathering;
  const members = new Set<Worker>();
  let reports = new Map<Worker, Report>();
  let check = () => {};

  const gather = shared(async () => {
    const asked = [...members];
    reports = new Map();
    const all = new Promise<void>((resolve) => {
      check = () => asked.every((worker) => reports.has(worker) || worker.isDead()) && resolve();
    });
    for (const worker of asked) send(worker, { gather: name, isDue: true });
    check();
    await waitAtMost(withinMs, all);
    return merge(reports, asked.length - reports.size);
  });
  cluster.on("message", (worker, message: FromWorker) => {
    if (message.gather !== name) return;
    if (message.joins && !worker.isDead()) members.add(worker);
    if ("report" in message && !worker.isDead()) {
      received?.(worker, message.report as Report);
      reports.set(worker, message.report as Report);
      check();
    }
    if (message.asks) {
      gather().then(
        (gathered) => send(worker, { gather: name, gathered }),
        // The requesting worker has its own timeout.
        () => {},
      );
    }
  });
  cluster.on("exit", (worker) => {
    members.delete(worker);
    ended?.(worker);
    check();
  });
}

/** The recipient may have exited. Without a callback that would throw. */
const send = (worker: Worker, message: ToWorker) => worker.send(message, () => {});

/**
 * Reports for this worker from now on, and returns a function that gathers the reports of all workers. It rejects if
 * the primary process does not respond within 2 s. Only for workers.
 */
export function gatherer<Report, Gathered>(name: string, report: () => Promise<Report>): () => Promise<Gathered> {
  const toPrimary = (message: Omit<FromWorker, "gather">) => process.send?.({ gather: name, ...message }, () => {});
  let gathered = (_: Gathered) => {};
  process.on("message", async (message: ToWorker) => {
    if (message.gather !== name) return;
    if (message.isDue) toPrimary({ report: await report() });
    else gathered(message.gathered as Gathered);
  });
  toPrimary({ joins: true });
  return shared(async () => {
    const response = new Promise<Gathered>((resolve) => {
      gathered = resolve;
    });
    toPrimary({ asks: true });
    return withDeadline(gatherWithinMs, () => response);
  });
}
