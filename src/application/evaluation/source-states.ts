import { StoreDataInvalid } from "../../domain/errors.ts";
import type { Instant } from "../../domain/evaluation/evaluation-context.ts";

/** A failure of a source. */
export type SourceFailure = { readonly at: Instant; readonly cause: unknown };

/** Notified of changes of a source's state, not of each call. */
export type SourceStateListener = {
  /** The source starts to fail, or fails for another reason. Called at most 5 times until it responds again. */
  failed(source: string, cause: unknown): void;
  /** The source responds again. */
  recovered(source: string): void;
  /** The source responds, but the data of some key are invalid. Called at most once a minute. */
  foundInvalid(source: string, cause: StoreDataInvalid): void;
};

const logInvalidEveryMs = 60_000;
const maxReasons = 5;

/** Tracks which sources fail, and notifies the listener of changes. */
export class SourceStates {
  /** The reasons of each source that fails: a store that comes back empty was unreachable before. */
  readonly #failing = new Map<string, Set<string>>();
  readonly #failures = new Map<string, number>();
  readonly #lastFailures = new Map<string, SourceFailure>();
  readonly #invalidLoggedAt = new Map<string, Instant>();
  readonly #listener: SourceStateListener;
  readonly #now: () => Instant;

  constructor(listener: SourceStateListener, now: () => Instant) {
    this.#listener = listener;
    this.#now = now;
  }

  /** The number of failures of each source that has failed. */
  get failures(): ReadonlyMap<string, number> {
    return this.#failures;
  }

  /** The last failure of each source that has failed. */
  get lastFailures(): ReadonlyMap<string, SourceFailure> {
    return this.#lastFailures;
  }

  succeeded(source: string): void {
    if (this.#failing.delete(source)) this.#listener.recovered(source);
  }

  failed(source: string, cause: unknown): void {
    this.#failures.set(source, (this.#failures.get(source) ?? 0) + 1);
    this.#lastFailures.set(source, { at: this.#now(), cause });
    if (cause instanceof StoreDataInvalid) this.#invalid(source, cause);
    else this.#unavailable(source, cause);
  }

  #unavailable(source: string, cause: unknown): void {
    const reasons = this.#failing.get(source) ?? new Set();
    this.#failing.set(source, reasons);
    const reason = String(cause);
    if (reasons.has(reason) || reasons.size >= maxReasons) return;
    reasons.add(reason);
    this.#listener.failed(source, cause);
  }

  #invalid(source: string, cause: StoreDataInvalid): void {
    const loggedAt = this.#invalidLoggedAt.get(source);
    if (loggedAt !== undefined && this.#now() - loggedAt < logInvalidEveryMs) return;
    this.#invalidLoggedAt.set(source, this.#now());
    this.#listener.foundInvalid(source, cause);
  }
}

/** Maximum number of faults of a source that are logged and shown to operators. */
const maxFaults = 20;

/** The faults in the data of one source. */
export class SourceFaults {
  readonly #byOrigin = new Map<string, readonly string[]>();
  readonly #found: (fault: string) => void;
  #all: readonly string[] = [];

  /** `found` is called with each new fault. */
  constructor(found: (fault: string) => void) {
    this.#found = found;
  }

  /** The faults of all origins; beyond 20, their number. */
  all(): readonly string[] {
    return this.#all;
  }

  /** Replaces the faults of an origin: a document, or the source itself. */
  replace(origin: string, faults: readonly string[]): void {
    this.#byOrigin.set(origin, faults);
    const before = this.#all;
    this.#all = few([...this.#byOrigin.values()].flat());
    for (const fault of this.#all) if (!before.includes(fault)) this.#found(fault);
  }
}

const few = (faults: readonly string[]): readonly string[] =>
  faults.length <= maxFaults ? faults : [...faults.slice(0, maxFaults), `and ${faults.length - maxFaults} more`];
