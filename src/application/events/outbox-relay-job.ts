import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import type { Lease } from "../../domain/events/lease.ts";
import type { Backlog, Outbox } from "../../domain/events/outbox.ts";
import type { OutboxRelay } from "./outbox-relay.ts";
import type { RuleReconciler } from "./rule-reconciler.ts";
import type { SetReconciler } from "./set-reconciler.ts";

const everyMs = 1_000;
/** The listener is warned of a larger or older backlog: the log is unavailable or too slow. */
const warnAbove = { entries: 10_000, ageMs: 60_000 };
const warnEveryMs = 60_000;
const gatherMs = 200;
const afterStartMs = 250;
/** A single failed run is not reported: at the start, a store may not be connected yet. */
const reportedFailures = 2;

/** A store to relay and reconcile. */
export type RelayedStore = {
  readonly name: string;
  /** Reads the identity of the store, and writes the last known one again if the store has lost it. */
  readonly identity: () => Promise<unknown>;
  readonly lease: Lease;
  readonly outbox: Outbox;
  /** Omitted if no source reads sets of the store. */
  readonly sets?: SetReconciler;
  /** Omitted if no source reads rules of it. */
  readonly rules?: RuleReconciler;
};

/** Notified of changes of the job's state, not of each attempt. */
export type RelayListener = {
  readonly failed: (store: string, cause: unknown) => void;
  readonly recovered: (store: string) => void;
  /** The backlog is large or old. Called at most once a minute. */
  readonly behind: (store: string, backlog: Backlog) => void;
};

/**
 * Outbox relay job: keeps the event log up to date with one store until it is stopped. It runs soon after each change,
 * and every second. One process on a store runs it at a time.
 */
export class OutboxRelayJob {
  readonly #store: RelayedStore;
  readonly #relay: OutboxRelay;
  readonly #listener: RelayListener;
  readonly #now: () => Instant;
  /** The latest backlog, read while this process held the lease; otherwise empty. */
  backlog: Backlog = { entries: 0, oldest: undefined };
  #warnedAt = Number.NEGATIVE_INFINITY;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isSoon = false;
  #stopped = false;
  /** Consecutive failed runs. */
  #failures = 0;
  #round: Promise<void> = Promise.resolve();

  constructor(store: RelayedStore, relay: OutboxRelay, listener: RelayListener, now: () => Instant) {
    this.#store = store;
    this.#relay = relay;
    this.#listener = listener;
    this.#now = now;
  }

  /** Starts after a short delay, because a new process has requests to serve first. */
  start(): void {
    this.#store.outbox.listen(() => this.schedule());
    this.#isSoon = true;
    this.#plan(afterStartMs);
  }

  /** Handles a changed set, or a change of any set if `undefined`. */
  changed(key: string | undefined): void {
    this.#store.sets?.changed(key);
    if (this.#store.sets?.isDue) this.schedule();
  }

  /** Schedules a run. Calls within a fifth of a second share one. */
  schedule(): void {
    if (this.#isSoon || this.#stopped) return;
    this.#isSoon = true;
    // While the log or the store fails, it is tried once a second.
    if (this.#failures === 0) this.#plan(gatherMs);
  }

  /** Stops after the present run, and releases the lease. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#relay.end();
    clearTimeout(this.#timer);
    await this.#round;
    await this.#store.lease.release().catch(() => {});
  }

  #plan(ms: number): void {
    clearTimeout(this.#timer);
    if (this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.#round = this.#round.then(() => this.#run());
    }, ms);
  }

  async #run(): Promise<void> {
    this.#isSoon = false;
    const { name, identity, lease } = this.#store;
    try {
      // In each process, lease or not: otherwise one that never read it would give a flushed store a new identity.
      await identity();
      if (await lease.hold()) await this.#relayAndReconcile();
      else this.backlog = { entries: 0, oldest: undefined };
      if (this.#failures >= reportedFailures) this.#listener.recovered(name);
      this.#failures = 0;
    } catch (cause) {
      this.#failures += 1;
      // Another process may have the rights, or reach the log.
      await lease.release().catch(() => {});
      if (this.#failures === reportedFailures) this.#listener.failed(name, cause);
    }
    this.#plan(this.#isSoon && this.#failures === 0 ? gatherMs : everyMs);
  }

  async #relayAndReconcile(): Promise<void> {
    const { name, sets, rules } = this.#store;
    // The relay of an import may take minutes.
    const renewal = setInterval(() => void this.#renew(), everyMs);
    try {
      await this.#relay.relay(name);
      for (const each of [sets, rules]) {
        if (!each?.isDue) continue;
        await each.reconcile();
        await this.#relay.relay(name);
      }
    } finally {
      clearInterval(renewal);
      await this.#readBacklog();
    }
  }

  async #renew(): Promise<void> {
    try {
      await this.#store.lease.hold();
      await this.#readBacklog();
    } catch {
      // The relay meets the same error and reports it.
    }
  }

  async #readBacklog(): Promise<void> {
    this.backlog = await this.#relay.backlog(this.#store.name);
    this.#warnIfBehind();
  }

  #warnIfBehind(): void {
    const { entries, oldest } = this.backlog;
    const now = this.#now();
    const isLarge = entries > warnAbove.entries || (oldest !== undefined && now - oldest > warnAbove.ageMs);
    if (!isLarge || now - this.#warnedAt < warnEveryMs) return;
    this.#warnedAt = now;
    this.#listener.behind(this.#store.name, this.backlog);
  }
}
