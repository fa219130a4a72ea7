import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import type { ChangesState } from "../evaluation/check-changes.ts";
import { addUp, quantile, slotMs, sumOf, type TrafficPoint } from "./recent-traffic.ts";
import type { Instances, ViewInstances } from "./view-instances.ts";
import type { CacheReport, SourceReport, StoreReport, WorkerReport } from "./worker-report.ts";

/** The reports of the workers of an instance, and the number of those that did not report. */
export type GatherReports<Report> = () => Promise<{ readonly reports: readonly Report[]; readonly missing: number }>;

/** Figures of a span of time. Absent durations and ratios: nothing was evaluated. */
export type TrafficFigures = {
  readonly start: Instant;
  readonly requestsPerSecond: number;
  readonly evaluationsPerSecond: number;
  readonly p50Ms: number | undefined;
  readonly p99Ms: number | undefined;
  /** The part of evaluations that came from the cache, from 0 to 1. */
  readonly hitRate: number | undefined;
  readonly streams: number;
};

/** The state of the instance, merged over its workers. */
export type SystemState = {
  readonly at: Instant;
  readonly workers: readonly Pick<WorkerReport, "pid" | "startedAt" | "residentBytes">[];
  /** Number of workers that did not report within 1 s. */
  readonly missing: number;
  readonly instances: Instances;
  /** The worst state of each source in any worker, in YAML order. `failures` are those of all workers. */
  readonly sources: readonly SourceReport[];
  readonly stores: readonly (StoreReport & { readonly caches: readonly CacheReport[] })[];
  readonly log: WorkerReport["log"];
  readonly waiting: WorkerReport["waiting"];
  readonly deadLetters: number;
  readonly streams: WorkerReport["streams"];
  /** The last minute. */
  readonly traffic: TrafficFigures;
};

/** Length of the span that the present figures are for, in milliseconds. */
const recentMs = 60_000;

/** Views the state of an instance and its traffic of the last hour. */
export class ViewSystem {
  readonly #gather: GatherReports<WorkerReport>;
  readonly #instances: ViewInstances;
  readonly #bounds: readonly number[];
  readonly #now: () => Instant;

  /** `bounds`: upper bounds of the buckets of durations, in seconds. */
  constructor(
    gather: GatherReports<WorkerReport>,
    instances: ViewInstances,
    bounds: readonly number[],
    now: () => Instant,
  ) {
    this.#gather = gather;
    this.#instances = instances;
    this.#bounds = bounds;
    this.#now = now;
  }

  /** Rejects if the primary process does not answer. */
  async state(): Promise<SystemState> {
    const [{ reports, missing }, instances] = await Promise.all([this.#gather(), this.#instances()]);
    const now = this.#now();
    const recent = addUp(reports.map(({ traffic }) => traffic)).filter(({ start }) => start >= now - recentMs);
    const first = recent[0]?.start ?? now;
    const last = recent.at(-1);
    return {
      at: now,
      workers: reports.map(({ pid, startedAt, residentBytes }) => ({ pid, startedAt, residentBytes })),
      missing,
      instances,
      sources: merged(
        reports.flatMap(({ sources }) => sources),
        ({ name }) => name,
        sourceOf,
      ),
      stores: merged(
        reports.flatMap(({ stores }) => stores),
        ({ name }) => name,
        storeOf,
      ).map((store) => ({ ...store, caches: cachesOf(store, reports) })),
      log: reports.some(({ log }) => log === "failing") ? "failing" : "answering",
      waiting: Object.assign({}, ...reports.map(({ waiting }) => waiting)),
      deadLetters: total(reports.map(({ deadLetters }) => deadLetters)),
      streams: countsOf(reports.map(({ streams }) => streams)),
      traffic: this.#figures({ ...sumOf(recent, first), streams: last?.streams ?? 0 }, now - first),
    };
  }

  /** The figures of each whole slot of 15 s in the last hour. Rejects as `state` does. */
  async history(): Promise<readonly TrafficFigures[]> {
    const { reports } = await this.#gather();
    const points = addUp(reports.map(({ traffic }) => traffic));
    const present = this.#now() - slotMs;
    return points.filter(({ start }) => start <= present).map((point) => this.#figures(point, slotMs));
  }

  #figures(point: TrafficPoint, ms: number): TrafficFigures {
    const { start, requests, evaluations, cached, durations, streams } = point;
    const seconds = Math.max(ms, 1) / 1_000;
    const inMs = (part: number) => {
      const found = quantile(durations, this.#bounds, part);
      return found === undefined ? undefined : found * 1_000;
    };
    return {
      start,
      requestsPerSecond: requests / seconds,
      evaluationsPerSecond: evaluations / seconds,
      p50Ms: inMs(0.5),
      p99Ms: inMs(0.99),
      hitRate: evaluations === 0 ? undefined : cached / evaluations,
      streams,
    };
  }
}

/** Merges the reports of workers about the same items. */
function merged<T>(all: readonly T[], nameOf: (item: T) => string, merge: (one: T, other: T) => T): readonly T[] {
  const same = Map.groupBy(all, nameOf);
  return [...same.values()].map((items) => items.reduce(merge));
}

const states = ["evaluated", "skipped", "unavailable"] as const;

function sourceOf(one: SourceReport, other: SourceReport): SourceReport {
  const isWorse = states.indexOf(other.state) > states.indexOf(one.state) || (other.stale && !one.stale);
  const [worse, better] = isWorse ? [other, one] : [one, other];
  const instants = [one.asOf, other.asOf].filter((asOf) => asOf !== undefined);
  const errors = [one.lastError, other.lastError].filter((error) => error !== null);
  return {
    ...worse,
    ...(instants.length > 0 && { asOf: Math.min(...instants) }),
    failures: one.failures + other.failures,
    lastError: errors.toSorted((a, b) => b.at - a.at)[0] ?? null,
    faults: worse.faults.length > 0 ? worse.faults : better.faults,
  };
}

const changesRank = (changes: ChangesState) => ["accepted", "unknown", "refused"].indexOf(changes.state);

const storeOf = (one: StoreReport, other: StoreReport): StoreReport => ({
  name: one.name,
  state: one.state === "failing" ? one.state : other.state,
  isSynced: one.isSynced === null ? other.isSynced : one.isSynced && other.isSynced !== false,
  changes: changesRank(other.changes) > changesRank(one.changes) ? other.changes : one.changes,
});

const cachesOf = ({ name }: StoreReport, reports: readonly WorkerReport[]): readonly CacheReport[] =>
  merged(
    reports.flatMap(({ caches }) => caches.filter(({ connection }) => connection === name)),
    ({ content }) => content,
    cacheOf,
  );

/** Each worker has its own caches, so `size` counts a key once for each. */
const cacheOf = (one: CacheReport, other: CacheReport): CacheReport => ({
  ...one,
  size: one.size + other.size,
  hits: one.hits + other.hits,
  misses: one.misses + other.misses,
  stale: one.stale + other.stale,
});

function countsOf(all: readonly Readonly<Record<string, number>>[]): Readonly<Record<string, number>> {
  const names = new Set(all.flatMap((counts) => Object.keys(counts)));
  return Object.fromEntries([...names].map((name) => [name, total(all.map((counts) => counts[name] ?? 0))]));
}

const total = (numbers: readonly number[]): number => numbers.reduce((sum, each) => sum + each, 0);
