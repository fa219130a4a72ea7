import { freshnessBoundMs } from "../../domain/evaluation/cached-read.ts";
import type { Instant } from "../../domain/evaluation/evaluation-context.ts";

/** Epochs whose end is remembered. */
const maxEpochs = 1_000;

/** The monotonic clock, and the wall clock, which also runs while a machine sleeps. */
export type ClockReading = { readonly monotonic: number; readonly wall: Instant };

export const readClocks = (): ClockReading => ({ monotonic: performance.now(), wall: Date.now() });

/** The epochs of an invalidation feed. The lease is the time up to which all changes of the epoch were notified. */
export class Epochs {
  readonly #ends = new Map<number, number>();
  #current = 0;
  #lease: ClockReading | undefined;

  /** The number of the current or last epoch; 0 before the first. */
  get current(): number {
    return this.#current;
  }

  begin(lease: ClockReading): void {
    this.#current += 1;
    this.#lease = lease;
  }

  renew(lease: ClockReading): void {
    this.#lease = lease;
  }

  /** Ends the current epoch, if there is one. */
  end(): void {
    if (!this.#lease) return;
    this.#ends.set(this.#current, this.#lease.monotonic);
    this.#ends.delete(this.#current - maxEpochs);
    this.#lease = undefined;
  }

  /** Whether the lease of the current epoch is within the freshness bound, by both clocks. */
  isLive(now: Instant): boolean {
    if (!this.#lease) return false;
    const { monotonic, wall } = this.#lease;
    return performance.now() - monotonic <= freshnessBoundMs && now - wall <= freshnessBoundMs;
  }

  /** The lease of an epoch, by the monotonic clock; `-Infinity` if not known. */
  syncedUntil(epoch: number): number {
    if (epoch === this.#current && this.#lease) return this.#lease.monotonic;
    return this.#ends.get(epoch) ?? Number.NEGATIVE_INFINITY;
  }
}
