import { DatabaseSync, type StatementSync } from "node:sqlite";
import { setTimeout } from "node:timers/promises";
import { staleAfterMs } from "../../domain/evaluation/cached-read.ts";
import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import type { ConfirmingFeed, Receipt, RollCall } from "../../domain/evaluation/invalidation-feed.ts";
import { Epochs, readClocks } from "../invalidation/epochs.ts";

const everyMs = 20;

/**
 * Invalidation feed of a SQLite file, for changes by any process. A separate connection reads `PRAGMA data_version` 50
 * times per second. The pragma does not name the changed key, so each change ends an epoch.
 */
export class SqliteInvalidationFeed implements ConfirmingFeed, AsyncDisposable {
  readonly #database: DatabaseSync;
  readonly #version: StatementSync;
  readonly #timer: NodeJS.Timeout;
  readonly #epochs = new Epochs();
  readonly #listeners: (() => void)[] = [];
  readonly #isLost: () => boolean;
  #wasLost = false;
  #seen: unknown;

  /** While the file is lost, nothing is verified. The epoch ends when the file is back. */
  constructor(file: string, isLost: () => boolean) {
    this.#isLost = isLost;
    this.#database = new DatabaseSync(file, { readOnly: true });
    this.#version = this.#database.prepare("PRAGMA data_version");
    this.#seen = this.#version.get()?.["data_version"];
    this.#epochs.begin(readClocks());
    this.#timer = setInterval(() => this.#check(), everyMs).unref();
  }

  get epoch(): number {
    return this.#epochs.current;
  }

  /** Each change ends an epoch. */
  get generation(): number {
    return this.#epochs.current;
  }

  isLive(now: Instant): boolean {
    return this.#epochs.isLive(now);
  }

  syncedUntil(epoch: number): number {
    return this.#epochs.syncedUntil(epoch);
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
    const lease = readClocks();
    let version: unknown;
    try {
      version = this.#version.get()?.["data_version"];
    } catch {
      // A failed query verifies nothing: the lease expires, and cached values become stale.
      return;
    }
    if (version === this.#seen && !this.#wasLost) {
      this.#epochs.renew(lease);
      return;
    }
    this.#wasLost = false;
    this.#seen = version;
    this.#epochs.end();
    this.#epochs.begin(lease);
    for (const changed of this.#listeners) changed();
  }
}
