import cluster from "node:cluster";
import { gatherer, gatherFromWorkers } from "./gather.ts";

/** The kinds of reports, with the limit for a worker to report, in milliseconds. Health probes often wait 1 s. */
const limits = { system: 1_000, readiness: 700 };

/** Reports of the workers of an instance, and the number of those that did not report in time. */
export type GatheredReports<Report> = { readonly reports: readonly Report[]; readonly missing: number };

/** Makes the primary process gather the reports of its workers. */
export function gatherReports(): void {
  for (const [kind, withinMs] of Object.entries(limits)) {
    gatherFromWorkers<unknown, GatheredReports<unknown>>(kind, {
      withinMs,
      merge: (reports, missing) => ({ reports: [...reports.values()], missing }),
    });
  }
}

/** The reports of all workers of this instance that serve. One per process and kind. Reports are JSON. */
export class WorkerReports<Report> {
  readonly #kind: keyof typeof limits;
  #report: (() => Promise<Report>) | undefined;
  #gather: () => Promise<GatheredReports<Report>> = () => Promise.reject(new Error("this worker does not serve yet"));

  constructor(kind: keyof typeof limits) {
    this.#kind = kind;
  }

  /** The reports of all workers, or of this process if it is alone. Rejects if the primary process does not respond. */
  readonly gather = (): Promise<GatheredReports<Report>> => this.#gather();

  /** Sets the report of this process. From the first one on, this process reports to the others. */
  use(report: () => Promise<Report>): void {
    const isFirst = this.#report === undefined;
    this.#report = report;
    if (!isFirst) return;
    const own = () => (this.#report ?? report)();
    this.#gather = cluster.isWorker ? gatherer(this.#kind, own) : async () => ({ reports: [await own()], missing: 0 });
  }
}
