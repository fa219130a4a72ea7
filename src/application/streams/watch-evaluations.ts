import { TidegateError, TokenRejected } from "../../domain/errors.ts";
import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import type { InvalidationFeed } from "../../domain/evaluation/invalidation-feed.ts";
import { waitAtMost } from "../async/deadline.ts";
import { inSlices } from "../async/in-slices.ts";
import type { Freshness } from "../evaluation/freshness.ts";

/** An evaluation that can be watched. Evaluations with equal digests are equal. */
export type Watchable = {
  readonly digest: string;
  /** The next instant at which it is known to change by itself, if any. */
  readonly changesAt: Instant | undefined;
  readonly freshness: Freshness;
};

/** A caller whose evaluation is watched. */
export type Watch<T extends Watchable> = {
  /** Evaluates for the caller, for now. */
  readonly evaluate: () => Promise<T>;
  /** Receives each evaluation whose digest differs from that of the one before. */
  readonly changed: (evaluated: T) => void;
  /** The caller's token was rejected. The watch has ended. */
  readonly rejected: () => void;
};

type Watcher = Watch<Watchable> & { last: Watchable | undefined; isEvaluating: boolean };

/** How often time boundaries are checked, and feeds that do not notify, in milliseconds. */
const tickMs = 50;
/** How often evaluations that no feed invalidates are checked, in milliseconds. */
const sweepMs = 1_000;
/** Maximum wait for the reads of the first evaluation, in milliseconds. */
const maxReadMs = 1_000;
/** Pause between two sweeps, in milliseconds. Changes during it are coalesced. */
const pauseMs = 20;

/**
 * Watches evaluations. Evaluates again those that are no longer repeatable: after a notification of a feed, at their
 * next time boundary, and each second. Leaves the event loop to requests after each millisecond. While an evaluation
 * fails, because a store is unavailable, the last one is kept.
 */
export class WatchEvaluations {
  readonly #invalidations: readonly InvalidationFeed[];
  readonly #now: () => Instant;
  readonly #failed: (cause: unknown) => void;
  readonly #watchers = new Set<Watcher>();
  #timer: NodeJS.Timeout | undefined;
  #isScheduled = false;
  /** The sum of the feed generations at the last sweep. */
  #generation = -1;
  /** Monotonic time of the last sweep, in milliseconds. */
  #sweptAt = Number.NEGATIVE_INFINITY;
  /** The nearest instant at which an evaluation changes by itself. */
  #changesAt = Number.POSITIVE_INFINITY;

  /** `failed` receives errors other than those that a caller may have caused. */
  constructor(invalidations: Iterable<InvalidationFeed>, now: () => Instant, failed: (cause: unknown) => void) {
    this.#invalidations = [...invalidations];
    this.#now = now;
    this.#failed = failed;
    for (const each of this.#invalidations) each.subscribe(() => this.#schedule());
  }

  /**
   * Watches a caller from its last evaluation on; without one, the first evaluation counts as a change. Returns a
   * function that ends the watch.
   */
  start<T extends Watchable>(watch: Watch<T>, last?: T): () => void {
    const watcher: Watcher = {
      ...(watch as unknown as Watch<Watchable>),
      last: last && kept(last),
      isEvaluating: false,
    };
    this.#watchers.add(watcher);
    this.#timer ??= setInterval(() => this.#tick(), tickMs).unref();
    this.#changesAt = Math.min(this.#changesAt, last?.changesAt ?? Number.POSITIVE_INFINITY);
    if (!last?.freshness.isRepeatable(this.#now())) void this.#evaluate(watcher);
    return () => this.#end(watcher);
  }

  #end(watcher: Watcher): void {
    this.#watchers.delete(watcher);
    if (this.#watchers.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #tick(): void {
    const isDue = performance.now() - this.#sweptAt >= sweepMs || this.#now() >= this.#changesAt;
    if (isDue || this.#generationNow() !== this.#generation) this.#schedule();
  }

  /** Sweeps once the notifications that have arrived are handled, and the pause since the last sweep is over. */
  #schedule(): void {
    if (this.#isScheduled || this.#watchers.size === 0) return;
    this.#isScheduled = true;
    const wait = this.#sweptAt + pauseMs - performance.now();
    const sweep = () => void this.#sweep();
    if (wait > 0) setTimeout(sweep, wait);
    else setImmediate(sweep);
  }

  async #sweep(): Promise<void> {
    this.#generation = this.#generationNow();
    this.#changesAt = Number.POSITIVE_INFINITY;
    await this.#evaluateFirst();
    await inSlices(this.#watchers, (watcher) => {
      if (watcher.isEvaluating) return undefined;
      if (!watcher.last?.freshness.isRepeatable(this.#now())) return this.#evaluate(watcher);
      this.#changesAt = Math.min(this.#changesAt, watcher.last.changesAt ?? Number.POSITIVE_INFINITY);
      return undefined;
    });
    this.#sweptAt = performance.now();
    this.#isScheduled = false;
    if (this.#generation !== this.#generationNow()) this.#schedule();
  }

  /**
   * Evaluates for one caller, and waits for its reads: the others find in the cache what has changed, instead of
   * waiting for it all at once.
   */
  async #evaluateFirst(): Promise<void> {
    for (const watcher of this.#watchers) {
      if (watcher.isEvaluating || watcher.last?.freshness.isRepeatable(this.#now())) continue;
      await waitAtMost(maxReadMs, this.#evaluate(watcher));
      return;
    }
  }

  async #evaluate(watcher: Watcher): Promise<void> {
    const generation = this.#generationNow();
    watcher.isEvaluating = true;
    try {
      const evaluated = await watcher.evaluate();
      if (!this.#watchers.has(watcher)) return;
      const before = watcher.last;
      watcher.last = kept(evaluated);
      this.#changesAt = Math.min(this.#changesAt, evaluated.changesAt ?? Number.POSITIVE_INFINITY);
      if (evaluated.digest !== before?.digest) watcher.changed(evaluated);
      if (generation !== this.#generationNow() && !evaluated.freshness.isCurrent(this.#now())) this.#schedule();
    } catch (error) {
      if (error instanceof TokenRejected && this.#watchers.has(watcher)) {
        this.#end(watcher);
        watcher.rejected();
      } else if (!(error instanceof TidegateError)) this.#failed(error);
    } finally {
      watcher.isEvaluating = false;
    }
  }

  #generationNow(): number {
    let sum = 0;
    for (const { generation } of this.#invalidations) sum += generation;
    return sum;
  }
}

/** What is kept of an evaluation: not its content, because there may be thousands of watches. */
const kept = ({ digest, changesAt, freshness }: Watchable): Watchable => ({ digest, changesAt, freshness });
