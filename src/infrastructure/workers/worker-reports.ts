import cluster from "node:cluster";
import { gatherer, gatherFromWorkers } from "./gather.ts";

/** The kind of report. */
const kind = "system";

/** Reports of the workers of an instance, and the number of those that did not report within 1 s. */
export type GatheredReports<Report> = { readonly reports: readonly Report[]; readonly missing: number };

/** Makes the primary process gather the reports of its workers. */
export const gatherReports = (): void =>
  gatherFromWorkers<unknown, GatheredReports<unknown>>(kind, {
    merge: (reports, missing) => ({ reports: [...reports.values()], missing }),
  });

/** The reports of all workers of this instance. One per process. Reports are JSON. */
export class WorkerReports<Report> {
  /** The reports of all workers, or of this process if it is alone. Rejects if the primary process does not respond. */
  readonly gather: () => Promise<GatheredReports<Report>>;
  #report: () => Promise<Report> = () => Promise.reject(new Error("nothing is served yet"));

  constructor() {
    const own = () => this.#report();
    this.gather = cluster.isWorker ? gatherer(kind, own) : async () => ({ reports: [await own()], missing: 0 });
  }

  /** Sets the report of this process. */
  use(report: () => Promise<Report>): void {
    this.#report = report;
  }
}
