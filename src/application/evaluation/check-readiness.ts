import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import type { Source } from "../../domain/evaluation/source.ts";
import { withDeadline } from "./deadline.ts";

/** Something that has to answer before the service can. */
export type Dependency = {
  readonly name: string;
  readonly check: () => Promise<void>;
  /** Whether what an earlier process knew of it stands in until it answers. */
  readonly isRemembered: () => boolean;
};

/** How a part did when it was asked just now. */
type State = "answering" | "failing";

export type Readiness = {
  /** Whether a client would be answered now: everybody answers who may not be left out. */
  readonly ready: boolean;
  readonly connections: Readonly<Record<string, State>>;
  readonly sources: Readonly<Record<string, State>>;
  /** The faults of what sources evaluate, of those that have some. Clients are answered also then. */
  readonly faults: Readonly<Record<string, readonly string[]>>;
};

const checkTimeoutMs = 500;

/** Whether the service can answer: asks every connection, and every source what anybody would get. */
export class CheckReadiness {
  readonly #connections: readonly Dependency[];
  readonly #sources: readonly Source[];
  readonly #now: () => Instant;
  /** The connections that have answered since the start. */
  readonly #seen = new Set<string>();
  #underway: Promise<Readiness> | undefined;

  constructor(connections: readonly Dependency[], sources: readonly Source[], now: () => Instant) {
    this.#connections = connections;
    this.#sources = sources;
    this.#now = now;
  }

  /** Callers that come while a check is under way share its answer. Never rejects. */
  check(): Promise<Readiness> {
    this.#underway ??= this.#check().finally(() => {
      this.#underway = undefined;
    });
    return this.#underway;
  }

  async #check(): Promise<Readiness> {
    const at = this.#now();
    const [connections, sources] = await Promise.all([
      Promise.all(this.#connections.map(({ name, check }) => stateOf(name, checkTimeoutMs, check))),
      Promise.all(
        this.#sources.map(({ name, timeoutMs, resolver }) => stateOf(name, timeoutMs, () => resolver.resolve({ at }))),
      ),
    ]);
    const optional = this.#sources.filter(({ onFailure }) => onFailure === "skip").map(({ name }) => name);
    for (const [name, state] of connections) if (state === "answering") this.#seen.add(name);
    return {
      // A store that has answered may go away: what is remembered of it is served until it is too old.
      ready:
        this.#connections.every(({ name, isRemembered }) => this.#seen.has(name) || isRemembered()) &&
        sources.every(([name, state]) => state === "answering" || optional.includes(name)),
      connections: Object.fromEntries(connections),
      sources: Object.fromEntries(sources),
      faults: Object.fromEntries(
        this.#sources.flatMap(({ name, resolver }) => {
          const faults = resolver.faults?.() ?? [];
          return faults.length > 0 ? [[name, faults]] : [];
        }),
      ),
    };
  }
}

async function stateOf(name: string, timeoutMs: number, ask: () => unknown): Promise<[string, State]> {
  try {
    await withDeadline(timeoutMs, ask);
    return [name, "answering"];
  } catch {
    return [name, "failing"];
  }
}
