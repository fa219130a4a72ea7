import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import type { Source } from "../../domain/evaluation/source.ts";
import { evaluateSource } from "./evaluate-source.ts";

/** The background work of a source, not started yet. */
export type Background = { readonly source: string; readonly begin: () => void };

const maxWaitMs = 3_000;
const pollEveryMs = 20;

/**
 * Waits for the first result of sources that read from elsewhere than a store. For a process that evaluates once and
 * ends, such as a command. Background work that normally runs only in the server is started if a source has no result
 * without it.
 */
export class AwaitSources {
  readonly #sources: readonly Source[];
  readonly #background: readonly Background[];
  readonly #now: () => Instant;

  /** `sources` are those that read from elsewhere than a store. */
  constructor(sources: readonly Source[], background: readonly Background[], now: () => Instant) {
    this.#sources = sources;
    this.#background = background;
    this.#now = now;
  }

  /** Resolves once each source has a result, or after three seconds. Never rejects. */
  async wait(): Promise<void> {
    const until = performance.now() + maxWaitMs;
    await Promise.all(this.#sources.map((source) => this.#wait(source, until)));
  }

  async #wait(source: Source, until: number): Promise<void> {
    if (await this.#responds(source)) return;
    for (const { source: name, begin } of this.#background) if (name === source.name) begin();
    while (performance.now() < until && !(await this.#responds(source))) await pause();
  }

  async #responds(source: Source): Promise<boolean> {
    try {
      await evaluateSource(source, { at: this.#now() });
      return true;
    } catch {
      return false;
    }
  }
}

const pause = () => new Promise((resume) => void setTimeout(resume, pollEveryMs));
