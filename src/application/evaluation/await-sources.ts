import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import type { Source } from "../../domain/evaluation/source.ts";
import { evaluateAlone } from "./evaluate-alone.ts";

/** The background work of a source, not started yet. */
export type Background = { readonly source: string; readonly begin: () => void };

const maxWaitMs = 3_000;
const pollEveryMs = 20;

/**
 * Waits for the first result of sources that read from elsewhere than a store. For a process that evaluates once and
 * ends, such as a command. Background work that normally runs only in the server is started if a source has no result
 * without it. Resolves once each source has a result, or after three seconds. Never rejects.
 */
export function awaitSources(sources: readonly Source[], background: readonly Background[], now: () => Instant) {
  async function wait(source: Source, until: number): Promise<void> {
    if (await responds(source)) return;
    for (const { source: name, begin } of background) if (name === source.name) begin();
    while (performance.now() < until && !(await responds(source))) await pause();
  }

  async function responds(source: Source): Promise<boolean> {
    try {
      await evaluateAlone(source, { at: now() });
      return true;
    } catch {
      return false;
    }
  }

  return async (): Promise<void> => {
    const until = performance.now() + maxWaitMs;
    await Promise.all(sources.map((source) => wait(source, until)));
  };
}

export type AwaitSources = ReturnType<typeof awaitSources>;

const pause = () => new Promise((resume) => void setTimeout(resume, pollEveryMs));
