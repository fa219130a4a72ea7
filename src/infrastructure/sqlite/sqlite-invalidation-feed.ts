import { DatabaseSync, type StatementSync } from "node:sqlite";
import { setTimeout } from "node:timers/promises";
import { freshnessBoundMs, staleAfterMs } from "../../domain/evaluation/cached-read.ts";
import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import type { ConfirmingFeed, Receipt, RollCall } from "../../domain/evaluation/invalidation-feed.ts";

const everyMs = 20;

/**
 * Invalidation feed of a SQLite file, for changes by any process. A separate connection reads `PRAGMA data_version` 50
 * times per second. The pragma does not name the changed key, so each change ends an epoch.
 */
export class SqliteInvalidationFeed implements ConfirmingFeed, AsyncDisposable {
  readonly #database: DatabaseSync;
  readonly #version: StatementSync;
  readonly #timer: NodeJS.Timeout;
  readonly #ends = new Map<number, number>();
  readonly #listeners: (() => void)[] = [];
  #epoch = 1;
  readonly #isLost: () => boolean;
  #wasLost = false;
  #seen: unknown;
  #lease: { readonly monotonic: number; readonly wall: Instant };

  /** While the file is lost, nothing is verified. The epoch ends when the file is back. */
  constructor(file: string, isLost: () => boolean) {
    this.#isLost = isLost;
    this.#database = new DatabaseSync(file, { readOnly: true });
    this.#version = this.#database.prepare("PRAGMA data_version");
    this.#seen = this.#version.get()?.["data_version"];
    this.#lease = { monotonic: performance.now(), wall: Date.now() };
    this.#timer = setInterval(() => this.#check(), everyMs).unref();
  }

  get epoch(): number {
    return this.#epoch;
  }

  /** Each change ends an epoch. */
  get generation(): number {
    return this.#epoch;
  }

  isLive(now: Instant): boolean {
    const { monotonic, wall } = this.#lease;
    return performance.now() - monotonic <= freshnessBoundMs && now - wall <= freshnessBoundMs;
  }

  syncedUntil(epoch: number): number {
    return epoch === this.#epoch ? this.#lease.monotonic : (this.#ends.get(epoch) ?? Number.NEGATIVE_INFINITY);
  }

  notify(): void {
    this.#check();
  }

  /** The number of processes with the file open is unknown. */
  async everywhere(): Promise<Receipt> {
    await setTimeout(staleAfterMs);
    return { confirmed: 0, missing: undefined };
  }

  /** Nothing connects the processes with the file open. */
  async rollCall(): Promise<RollCall> {
    return { processes: [], unnamed: 0, missing: undefined };
  }

  subscribe(): void {}

  onUnnamedChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    this.#database.close();
  }

  #check(): void {
    if (this.#isLost()) {
      this.#wasLost = true;
      return;
    }
    const lease = { monotonic: performance.now(), wall: Date.now() };
    let version: unknown;
    try {
      version = this.#version.get()?.["data_version"];
    } catch {
      // A failed query verifies nothing: the lease expires, and cached values become stale.
      return;
    }
    if (version !== this.#seen || this.#wasLost) {
      this.#wasLost = false;
      this.#ends.set(this.#epoch, this.#lease.monotonic);
      this.#ends.delete(this.#epoch - 1_000);
      this.#epoch += 1;
      this.#seen = version;
      for (const changed of this.#listeners) changed();
    }
    this.#lease = lease;
  }
}
