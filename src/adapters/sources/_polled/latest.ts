import type { CachedRead } from "../../../domain/evaluation/cached-read.ts";
import type { Instant } from "../../../domain/evaluation/evaluation-context.ts";

/** A polled document. Polling ends when this is disposed of. */
export interface Polled<T> extends AsyncDisposable {
  /**
   * The last valid content. It is current until the document changes or becomes invalid. Throws the last error if no
   * valid content has been read yet.
   */
  read(): CachedRead<T>;
  /** Why the document is currently unusable; `undefined` if it is usable. */
  readonly fault: string | undefined;
}

/** Holds the last valid content of a polled document. */
export class Latest<T> {
  readonly #monotonic: () => number;
  readonly #warn: (fault: string) => void;
  #reading: Reading<T> | undefined;
  #fault: Error | undefined = new Error("it has not been read yet");

  /** `warn` is called once for each fault, until the fault changes or ends. */
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

  /** Stores new content. */
  set(value: T): void {
    this.#reading?.end();
    this.#reading = new Reading(value, this.#monotonic);
    this.#fault = undefined;
  }

  /** Marks the content as verified: the document has not changed. */
  isUnchanged(): void {
    this.#fault = undefined;
    this.#reading?.resume();
  }

  /** Records that the document could not be read or used. */
  failed(cause: unknown): void {
    const fault = cause instanceof Error ? cause : new Error(String(cause));
    if (this.#fault?.message !== fault.message) this.#warn(fault.message);
    this.#fault = fault;
    this.#reading?.suspect(fault);
  }
}

/** One version of a document's content. */
class Reading<T> implements CachedRead<T> {
  readonly value: T;
  readonly validUntil = Number.POSITIVE_INFINITY;
  readonly #monotonic: () => number;
  #fault: Error | undefined;
  /** When the content was last known to be current, on the monotonic clock; `undefined` while it is current. */
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
