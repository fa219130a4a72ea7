import type { CachedRead } from "../../../domain/evaluation/cached-read.ts";
import type { Instant } from "../../../domain/evaluation/evaluation-context.ts";

/** A document that others keep, and that somebody looks at now and then until this is disposed of. */
export interface Polled<T> extends AsyncDisposable {
  /**
   * What it said when it could be used last: current until it says something else, or cannot be used. Throws, with the reason, where it
   * could not be used yet.
   */
  read(): CachedRead<T>;
  /** Why the document cannot be used at present; `undefined` if it can. */
  readonly fault: string | undefined;
}

/** The latest of a document, put in by who looks at it. */
export class Latest<T> {
  readonly #monotonic: () => number;
  readonly #warn: (fault: string) => void;
  #reading: Reading<T> | undefined;
  #fault: Error | undefined = new Error("it has not been read yet");

  /** `warn` is told of each fault once, until there is another or none. */
  constructor(warn: (fault: string) => void, monotonic = () => performance.now()) {
    this.#warn = warn;
    this.#monotonic = monotonic;
  }

  read(): CachedRead<T> {
    if (!this.#reading) throw this.#fault ?? new Error("nothing was read");
    return this.#reading;
  }

  get fault(): string | undefined {
    return this.#fault?.message;
  }

  /** It says this now. */
  set(value: T): void {
    this.#reading?.end();
    this.#reading = new Reading(value, this.#monotonic);
    this.#fault = undefined;
  }

  /** It says what it said. */
  isUnchanged(): void {
    this.#fault = undefined;
    this.#reading?.resume();
  }

  /** It could not be had, or not be used. */
  failed(cause: unknown): void {
    const fault = cause instanceof Error ? cause : new Error(String(cause));
    if (this.#fault?.message !== fault.message) this.#warn(fault.message);
    this.#fault = fault;
    this.#reading?.suspect(fault);
  }
}

/** What a document said once. */
class Reading<T> implements CachedRead<T> {
  readonly value: T;
  readonly validUntil = Number.POSITIVE_INFINITY;
  readonly #monotonic: () => number;
  #fault: Error | undefined;
  /** Until when it is known to have said so, by the monotonic clock; left out while it still says so. */
  #until: number | undefined;

  constructor(value: T, monotonic: () => number) {
    this.value = value;
    this.#monotonic = monotonic;
  }

  get lastError(): unknown {
    return this.#fault;
  }

  isCurrent(): boolean {
    return this.#until === undefined;
  }

  verifiedAt(now: Instant): Instant {
    return this.#until === undefined ? now : now - (this.#monotonic() - this.#until);
  }

  end(): void {
    this.#until ??= this.#monotonic();
  }

  suspect(fault: Error): void {
    this.#fault = fault;
    this.end();
  }

  resume(): void {
    this.#fault = undefined;
    this.#until = undefined;
  }
}
