import type { Lease } from "../../domain/admin/lease.ts";
import type { Backlog, Outbox } from "../../domain/admin/outbox.ts";
import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import type { OutboxRelay } from "./outbox-relay.ts";
import type { RuleReconciler } from "./rule-reconciler.ts";
import type { SetReconciler } from "./set-reconciler.ts";

const everyMs = 1_000;
/** More entries, or older ones, in an outbox are told of: the log is away or too slow. */
const alarming = { entries: 10_000, ageMs: 60_000 };
const tellEveryMs = 60_000;
const gatherMs = 200;
const afterStartMs = 250;

/** What is kept in order of one store. */
export type RelayedStore = {
  readonly name: string;
  readonly lease: Lease;
  readonly outbox: Outbox;
  /** Left out where no source reads sets of the store. */
  readonly watch?: SetReconciler;
  /** Left out where no source keeps settings in it. */
  readonly watchSettings?: RuleReconciler;
};

/** Told of what befalls the keeping of records, and not of each try. */
export type RelayListener = {
  readonly failed: (store: string, cause: unknown) => void;
  readonly recovered: (store: string) => void;
  /** Much waits for the log, or has long waited; told once a minute. */
  readonly behind: (store: string, backlog: Backlog) => void;
};

/**
 * Keeps the activity log up to date with a store, for as long as the process lives: soon after something changed, and every second.
 * Of all processes on a store one does so at a time.
 */
export class OutboxRelayJob {
  readonly #store: RelayedStore;
  readonly #drain: OutboxRelay;
  readonly #listener: RelayListener;
  readonly #now: () => Instant;
  /** What waited when this process looked last, while it held the lease; else nothing. */
  backlog: Backlog = { entries: 0, oldest: undefined };
  #toldBehindAt = Number.NEGATIVE_INFINITY;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isSoon = false;
  #stopped = false;
  #failing = false;
  #round: Promise<void> = Promise.resolve();

  constructor(store: RelayedStore, drain: OutboxRelay, listener: RelayListener, now: () => Instant) {
    this.#store = store;
    this.#drain = drain;
    this.#listener = listener;
    this.#now = now;
  }

  /** Begins in a moment: what starts now has clients to answer first. */
  start(): void {
    this.#store.outbox.listen(() => this.soon());
    this.#isSoon = true;
    this.#plan(afterStartMs);
  }

  /** A set of the store changed, or all may have. */
  changed(key: string | undefined): void {
    this.#store.watch?.changed(key);
    if (this.#store.watch?.isDue) this.soon();
  }

  /** Something is to be done; what comes within a fifth of a second is done together. */
  soon(): void {
    if (this.#isSoon || this.#stopped) return;
    this.#isSoon = true;
    // A log or store that fails is tried once a second.
    if (!this.#failing) this.#plan(gatherMs);
  }

  /** Ends, after what is under way; another process need not wait for its turn. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#drain.end();
    clearTimeout(this.#timer);
    await this.#round;
    await this.#store.lease.release().catch(() => {});
  }

  #plan(ms: number): void {
    clearTimeout(this.#timer);
    if (this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.#round = this.#round.then(() => this.#keep());
    }, ms);
  }

  async #keep(): Promise<void> {
    this.#isSoon = false;
    const { name, lease } = this.#store;
    try {
      if (await lease.hold()) await this.#keepNow();
      else this.backlog = { entries: 0, oldest: undefined };
      if (this.#failing) this.#listener.recovered(name);
      this.#failing = false;
    } catch (cause) {
      if (!this.#failing) this.#listener.failed(name, cause);
      this.#failing = true;
    }
    this.#plan(this.#isSoon && !this.#failing ? gatherMs : everyMs);
  }

  async #keepNow(): Promise<void> {
    const { name, watch, watchSettings } = this.#store;
    // What was imported may take minutes.
    const meanwhile = setInterval(() => void this.#renew(), everyMs);
    try {
      await this.#drain.relay(name);
      for (const each of [watch, watchSettings]) {
        if (!each?.isDue) continue;
        await each.reconcile();
        await this.#drain.relay(name);
      }
    } finally {
      clearInterval(meanwhile);
      await this.#look();
    }
  }

  async #renew(): Promise<void> {
    try {
      await this.#store.lease.hold();
      await this.#look();
    } catch {
      // Whoever moves the records meets the same, and tells.
    }
  }

  async #look(): Promise<void> {
    this.backlog = await this.#drain.backlog(this.#store.name);
    this.#tellBehind();
  }

  #tellBehind(): void {
    const { entries, oldest } = this.backlog;
    const now = this.#now();
    const isAlarming = entries > alarming.entries || (oldest !== undefined && now - oldest > alarming.ageMs);
    if (!isAlarming || now - this.#toldBehindAt < tellEveryMs) return;
    this.#toldBehindAt = now;
    this.#listener.behind(this.#store.name, this.backlog);
  }
}
