import type { Registry } from "@prometheus-io/client";
import { processMetrics } from "./metrics.ts";
import { type Snapshot, scraper, snapshotOf, Totals } from "./scrape.ts";

/**
 * The figures of this process: its own, and those of each configuration that it serves or has served. There must be one
 * for each process, because it is asked for them by the process that forked it.
 */
export class Figures {
  /** The figures of this process, or of all workers where it is one of several, as text. */
  readonly scrape = scraper(() => this.#snapshot());
  readonly #totals = new Totals<Registry>();
  readonly #registries = new Set([processMetrics()]);

  /** Adds what a registry tells, until it is disposed of; what it has counted then stays. */
  of(registry: Registry): AsyncDisposable {
    this.#registries.add(registry);
    return {
      [Symbol.asyncDispose]: async () => {
        const last = await snapshotOf(registry);
        this.#totals.told(registry, last);
        this.#totals.ended(registry);
        this.#registries.delete(registry);
      },
    };
  }

  async #snapshot(): Promise<Snapshot> {
    const asked = [...this.#registries];
    const snapshots = await Promise.all(asked.map(snapshotOf));
    const told = new Map<Registry, Snapshot>();
    for (const [index, registry] of asked.entries()) {
      // One that was disposed of meanwhile has told its last.
      if (this.#registries.has(registry)) told.set(registry, snapshots[index] ?? []);
    }
    for (const [registry, snapshot] of told) this.#totals.told(registry, snapshot);
    return this.#totals.sum(told);
  }
}
