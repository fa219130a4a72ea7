import { StoreDataInvalid } from "../../domain/errors.ts";
import type { Instant } from "../../domain/evaluation/evaluation-context.ts";

/** Told of what befalls a source, and not of each call that it befalls. */
export interface SourceStateListener {
  /** It begins to fail. */
  failed(source: string, cause: unknown): void;
  /** It answers again. */
  recovered(source: string): void;
  /** It answers, but the data of some key are not what they should be; told once a minute. */
  foundInvalid(source: string, cause: StoreDataInvalid): void;
}

const tellInvalidEveryMs = 60_000;

/** Remembers which sources fail, and tells of the changes. */
export class SourceStates {
  readonly #failing = new Set<string>();
  readonly #failures = new Map<string, number>();
  readonly #toldInvalidAt = new Map<string, Instant>();
  readonly #listener: SourceStateListener;
  readonly #now: () => Instant;

  constructor(listener: SourceStateListener, now: () => Instant) {
    this.#listener = listener;
    this.#now = now;
  }

  /** How often each source has failed, of those that have. */
  get failures(): ReadonlyMap<string, number> {
    return this.#failures;
  }

  answered(source: string): void {
    if (this.#failing.delete(source)) this.#listener.recovered(source);
  }

  failed(source: string, cause: unknown): void {
    this.#failures.set(source, (this.#failures.get(source) ?? 0) + 1);
    if (cause instanceof StoreDataInvalid) {
      this.#invalid(source, cause);
    } else if (!this.#failing.has(source)) {
      this.#failing.add(source);
      this.#listener.failed(source, cause);
    }
  }

  #invalid(source: string, cause: StoreDataInvalid): void {
    const told = this.#toldInvalidAt.get(source);
    if (told !== undefined && this.#now() - told < tellInvalidEveryMs) return;
    this.#toldInvalidAt.set(source, this.#now());
    this.#listener.foundInvalid(source, cause);
  }
}
