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

/**
 * Lists the instances that share a store with this one. `rollCalls` asks the processes on each store. Never rejects.
 * Takes the freshness bound if a process does not answer.
 */
export function viewInstances(own: InstanceProcess, rollCalls: () => Promise<readonly RollCall[]>, now: () => Instant) {
  const seen = new Map<string, Instance>();

  return async (): Promise<Instances> => {
    const calls = await rollCalls();
    const lastSeen = now();
    const processes = [own, ...calls.flatMap((call) => call.processes)];
    for (const [key, [first = own, ...others]] of Map.groupBy(processes, keyOf)) {
      const { host, version, instance: pid } = first;
      const all = [first, ...others];
      seen.set(key, {
        ...{ host, version, pid, lastSeen },
        startedAt: Math.min(...all.map(({ startedAt }) => startedAt)),
        workers: [...new Set(all.map((process) => process.pid))].sort((one, other) => one - other),
        isOwn: key === keyOf(own),
      });
    }
    for (const [key, instance] of seen) if (instance.lastSeen < lastSeen - rememberedMs) seen.delete(key);
    const rank = ({ isOwn, host }: Instance) => `${isOwn ? 0 : 1}${host}`;
    const known = calls.filter(({ missing }) => missing !== undefined);
    return {
      instances: [...seen.values()].sort((one, other) => rank(one).localeCompare(rank(other)) || one.pid - other.pid),
      unnamed: Math.max(0, ...calls.map(({ unnamed }) => unnamed)),
      missing: known.length > 0 ? Math.max(...known.map(({ missing = 0 }) => missing)) : undefined,
    };
  };
}

export type ViewInstances = ReturnType<typeof viewInstances>;

const keyOf = ({ host, instance }: InstanceProcess): string => `${host}:${instance}`;
