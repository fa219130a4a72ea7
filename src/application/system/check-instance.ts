import { resultWithin } from "../async/deadline.ts";
import type { CheckReadiness, Readiness } from "../evaluation/check-readiness.ts";
import type { CheckEventLog, LogState } from "../events/check-event-log.ts";
import type { GatherReports } from "./view-system.ts";

/** The readiness of one worker. JSON, so that it can be sent to other processes. */
export type WorkerReadiness = Readiness & { readonly log: LogState };

/** Limit for the reports of the other workers, in milliseconds. Health probes often wait 1 s. */
const maxGatherMs = 800;

/** Readiness of an instance: a load balancer reaches any of its workers, so the worst of them counts. */
export class CheckInstance {
  readonly #gather: GatherReports<WorkerReadiness>;
  readonly #readiness: Pick<CheckReadiness, "check">;
  readonly #log: Pick<CheckEventLog, "log">;

  constructor(
    gather: GatherReports<WorkerReadiness>,
    readiness: Pick<CheckReadiness, "check">,
    log: Pick<CheckEventLog, "log">,
  ) {
    this.#gather = gather;
    this.#readiness = readiness;
    this.#log = log;
  }

  /** The readiness of this worker. Never rejects. */
  readonly ofWorker = async (): Promise<WorkerReadiness> => {
    const [readiness, log] = await Promise.all([this.#readiness.check(), this.#log.log()]);
    return { ...readiness, log };
  };

  /** The worst state in any worker. A worker that does not report in time is left out. Never rejects. */
  async check(): Promise<WorkerReadiness> {
    const [own, gathered] = await Promise.all([this.ofWorker(), resultWithin(maxGatherMs, this.#gather)]);
    return (gathered?.reports ?? []).reduce(worseOf, own);
  }
}

function worseOf(one: WorkerReadiness, other: WorkerReadiness): WorkerReadiness {
  return {
    ready: one.ready && other.ready,
    log: one.log === "failing" ? one.log : other.log,
    connections: worseStates(one.connections, other.connections),
    sources: worseStates(one.sources, other.sources),
    faults: { ...other.faults, ...one.faults },
  };
}

const worseStates = (one: Readiness["sources"], other: Readiness["sources"]): Readiness["sources"] => ({
  ...one,
  ...Object.fromEntries(Object.entries(other).filter(([name, state]) => state === "failing" || !(name in one))),
});
