import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import type { InstanceProcess, RollCall } from "../../domain/evaluation/invalidation-feed.ts";

/** An instance on a store of this one. */
export type Instance = Pick<InstanceProcess, "host" | "version" | "startedAt"> & {
  readonly pid: number;
  /** The process ids of its workers that answered last, in ascending order. */
  readonly workers: readonly number[];
  readonly lastSeen: Instant;
  readonly isOwn: boolean;
};

/** The known instances, this one first. */
export type Instances = {
  readonly instances: readonly Instance[];
  /** Connections of earlier versions, which do not name their instance. */
  readonly unnamed: number;
  /** Connections that did not answer; `undefined` if their number is not known. */
  readonly missing: number | undefined;
};

/** Time for which an instance that no longer answers is listed, in milliseconds. */
const rememberedMs = 600_000;

/** Lists the instances that share a store with this one, by asking their processes. */
export class ViewInstances {
  readonly #own: InstanceProcess;
  readonly #rollCalls: () => Promise<readonly RollCall[]>;
  readonly #now: () => Instant;
  readonly #seen = new Map<string, Instance>();

  /** `rollCalls` asks the processes on each store. */
  constructor(own: InstanceProcess, rollCalls: () => Promise<readonly RollCall[]>, now: () => Instant) {
    this.#own = own;
    this.#rollCalls = rollCalls;
    this.#now = now;
  }

  /** Never rejects. Takes the freshness bound if a process does not answer. */
  async list(): Promise<Instances> {
    const calls = await this.#rollCalls();
    const lastSeen = this.#now();
    const processes = [this.#own, ...calls.flatMap((call) => call.processes)];
    for (const [key, [first = this.#own, ...others]] of Map.groupBy(processes, keyOf)) {
      const { host, version, instance: pid } = first;
      const all = [first, ...others];
      this.#seen.set(key, {
        ...{ host, version, pid, lastSeen },
        startedAt: Math.min(...all.map(({ startedAt }) => startedAt)),
        workers: [...new Set(all.map((process) => process.pid))].sort((one, other) => one - other),
        isOwn: key === keyOf(this.#own),
      });
    }
    for (const [key, instance] of this.#seen) if (instance.lastSeen < lastSeen - rememberedMs) this.#seen.delete(key);
    const rank = ({ isOwn, host }: Instance) => `${isOwn ? 0 : 1}${host}`;
    const known = calls.filter(({ missing }) => missing !== undefined);
    return {
      instances: [...this.#seen.values()].sort(
        (one, other) => rank(one).localeCompare(rank(other)) || one.pid - other.pid,
      ),
      unnamed: Math.max(0, ...calls.map(({ unnamed }) => unnamed)),
      missing: known.length > 0 ? Math.max(...known.map(({ missing = 0 }) => missing)) : undefined,
    };
  }
}

const keyOf = ({ host, instance }: InstanceProcess): string => `${host}:${instance}`;
