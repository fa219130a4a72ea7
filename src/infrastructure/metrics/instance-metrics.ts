import cluster from "node:cluster";
import type { Registry } from "@prometheus-io/client";
import { gatherer } from "../workers/gather.ts";
import type { Observed } from "./observed.ts";
import type { MetricsSnapshot, Totals } from "./scrape.ts";

/** The name of the reports of workers. */
export const metricsReport = "metrics";

type LateRegistry = () => Promise<Registry>;

/**
 * The metrics of this process, and of each configuration that it serves or has served. One instance per process,
 * because the primary process collects the metrics of its workers from it.
 *
 * Registries and their library are loaded by `load` or the first scrape, because they take an eighth of a start.
 */
export class InstanceMetrics {
  /**
   * The metrics as text: of this process, or of all workers of the instance. Rejects if the primary process does not
   * respond within 2 s.
   */
  readonly scrape: () => Promise<string> = cluster.isWorker
    ? gatherer(metricsReport, () => this.#snapshot())
    : async () => (await import("./scrape.ts")).metricsText(await this.#snapshot());
  readonly #registries = new Set<LateRegistry>([async () => (await import("./process-metrics.ts")).processMetrics()]);
  #totals: Promise<Totals<LateRegistry>> | undefined;

  /** Adds the metrics of a configuration until disposal. Its counters remain in the totals. */
  add(observed: Observed): AsyncDisposable {
    let created: Promise<Registry> | undefined;
    const registry: LateRegistry = () => {
      created ??= import("./metrics.ts").then(({ metricsOf }) => metricsOf(observed));
      return created;
    };
    this.#registries.add(registry);
    return {
      [Symbol.asyncDispose]: async () => {
        const totals = await this.#sums();
        const last = await (await registry()).getMetricsAsJSON();
        totals.report(registry, last);
        totals.end(registry);
        this.#registries.delete(registry);
      },
    };
  }

  /** Creates all registries. Metrics of the event loop and of garbage collection begin here. */
  async load(): Promise<void> {
    await Promise.all([this.#sums(), ...[...this.#registries].map((registry) => registry())]);
  }

  #sums(): Promise<Totals<LateRegistry>> {
    this.#totals ??= import("./scrape.ts").then(({ Totals }) => new Totals());
    return this.#totals;
  }

  async #snapshot(): Promise<MetricsSnapshot> {
    const totals = await this.#sums();
    const registries = [...this.#registries];
    const snapshots = await Promise.all(registries.map(async (registry) => (await registry()).getMetricsAsJSON()));
    const reported = new Map<LateRegistry, MetricsSnapshot>();
    for (const [index, registry] of registries.entries()) {
      // A registry disposed of meanwhile has already reported its last values.
      if (this.#registries.has(registry)) reported.set(registry, snapshots[index] ?? []);
    }
    for (const [registry, snapshot] of reported) totals.report(registry, snapshot);
    return totals.sum(reported);
  }
}
