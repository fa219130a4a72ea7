import type { Registry } from "@prometheus-io/client";
import { processMetrics } from "./process-metrics.ts";
import { type Snapshot, scraper, snapshotOf, Totals } from "./scrape.ts";

/**
 * The metrics of this process, and of each configuration that it serves or has served. One instance per process,
 * because the primary process collects the metrics of its workers from it.
 */
export class InstanceMetrics {
  /** The metrics as text: of this process, or of all workers of the instance. */
  readonly scrape = scraper(() => this.#snapshot());
  readonly #totals = new Totals<Registry>();
  readonly #registries = new Set([processMetrics()]);

  /** Adds the metrics of a registry until disposal. Its counters remain in the totals. */
  add(registry: Registry): AsyncDisposable {
    this.#registries.add(registry);
    return {
      [Symbol.asyncDispose]: async () => {
        const last = await snapshotOf(registry);
        this.#totals.report(registry, last);
        this.#totals.end(registry);
        this.#registries.delete(registry);
      },
    };
  }

  async #snapshot(): Promise<Snapshot> {
    const registries = [...this.#registries];
    const snapshots = await Promise.all(registries.map(snapshotOf));
    const reported = new Map<Registry, Snapshot>();
    for (const [index, registry] of registries.entries()) {
      // A registry disposed of meanwhile has already reported its last values.
      if (this.#registries.has(registry)) reported.set(registry, snapshots[index] ?? []);
    }
    for (const [registry, snapshot] of reported) this.#totals.report(registry, snapshot);
    return this.#totals.sum(reported);
  }
}
