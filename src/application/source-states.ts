/** What is known of a source: that it answered when it was last asked, that it failed, or nothing yet. */
export type SourceState = "answering" | "failing" | "not asked";

/** Told when a source begins to fail, and when it answers again; not of each failure in between. */
export interface SourceStateListener {
  failed(source: string, cause: unknown): void;
  recovered(source: string): void;
}

/** Remembers how each source did when it was last asked, and tells of the changes. */
export class SourceStates {
  readonly #failing = new Map<string, boolean>();
  readonly #listener: SourceStateListener;

  constructor(listener: SourceStateListener) {
    this.#listener = listener;
  }

  answered(source: string): void {
    const failing = this.#failing.get(source);
    if (failing === false) return;
    this.#failing.set(source, false);
    if (failing) this.#listener.recovered(source);
  }

  failed(source: string, cause: unknown): void {
    if (this.#failing.get(source)) return;
    this.#failing.set(source, true);
    this.#listener.failed(source, cause);
  }

  of(source: string): SourceState {
    const failing = this.#failing.get(source);
    return failing === undefined ? "not asked" : failing ? "failing" : "answering";
  }
}
