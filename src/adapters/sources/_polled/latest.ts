import type { CachedRead } from "../../../domain/evaluation/cached-read.ts";
import type { Instant } from "../../../domain/evaluation/evaluation-context.ts";

/** Called with each new fault of a document, and with `undefined` when it is usable again. */
export type OnPolled = (fault: string | undefined) => void;

/** A polled document. Polling ends when this is disposed of. */
export type PolledDocument<T> = AsyncDisposable & {
  /**
   * The last valid content. It is current until the document changes or becomes invalid. Throws the last error if no
   * valid content has been read yet.
   */
  read(): CachedRead<T>;
};

/** Holds the last valid content of a polled document. */
export class Latest<T> {
  readonly #monotonic: () => number;
  readonly #changed: OnPolled;
  #reading: Reading<T> | undefined;
  #fault: Error | undefined;

  constructor(changed: OnPolled, monotonic = () => performance.now()) {
    this.#changed = changed;
    this.#monotonic = monotonic;
  }

  read(): CachedRead<T> {
    if (!this.#reading) throw this.#fault ?? new Error("no valid content has been read yet; check the file or URL");
    return this.#reading;
  }

  /** Stores new content. */
  set(value: T): void {
    this.#reading?.end();
    this.#reading = new Reading(value, this.#monotonic);
    this.#isUsable();
  }

  /** Marks the content as verified: the document has not changed. */
  isUnchanged(): void {
    this.#reading?.resume();
    this.#isUsable();
  }

  /** Records that the document could not be read or used. */
  failed(cause: unknown): void {
    const fault = cause instanceof Error ? cause : new Error(String(cause));
    if (this.#fault?.message !== fault.message) this.#changed(fault.message);
    this.#fault = fault;
    this.#reading?.suspect(fault);
  }

  #isUsable(): void {
    if (this.#fault) this.#changed(undefined);
    this.#fault = undefined;
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
