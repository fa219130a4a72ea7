import type { ManagedSource } from "../../domain/admin/managed-source.ts";
import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import { withDeadline } from "../async/deadline.ts";
import { shared } from "../async/shared.ts";

/** A dependency that must respond before the service is ready. */
export type Dependency = {
  readonly name: string;
  readonly check: () => Promise<void>;
  /** Whether a snapshot of an earlier process replaces it until it answers. */
  readonly hasSnapshot: () => boolean;
};

/** The state of a dependency at the latest check. */
type State = "answering" | "failing";

export type Readiness = {
  /** Whether the service can evaluate now: all required sources respond. */
  readonly ready: boolean;
  readonly connections: Readonly<Record<string, State>>;
  readonly sources: Readonly<Record<string, State>>;
  /** The faults in the data of sources, by source. They do not affect readiness. */
  readonly faults: Readonly<Record<string, readonly string[]>>;
};

const checkTimeoutMs = 500;

/** Readiness check: calls every connection, and evaluates every source for an empty context. */
export class CheckReadiness {
  readonly #connections: readonly Dependency[];
  readonly #sources: readonly ManagedSource[];
  readonly #now: () => Instant;
  /** The connections that have responded since the start. */
  readonly #seen = new Set<string>();

  constructor(connections: readonly Dependency[], sources: readonly ManagedSource[], now: () => Instant) {
    this.#connections = connections;
    this.#sources = sources;
    this.#now = now;
  }

  /** Concurrent calls share a check. Never rejects. */
  readonly check = shared(() => this.#check());

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
      // A store that has responded once may become unavailable: cached reads are served until they are too old.
      ready:
        this.#connections.every(({ name, hasSnapshot }) => this.#seen.has(name) || hasSnapshot()) &&
        sources.every(([name, state]) => state === "answering" || optional.includes(name)),
      connections: Object.fromEntries(connections),
      sources: Object.fromEntries(sources),
      faults: Object.fromEntries(
        this.#sources.map(({ name, faults }) => [name, faults()] as const).filter(([, faults]) => faults.length > 0),
      ),
    };
  }
}

async function stateOf(name: string, timeoutMs: number, check: () => unknown): Promise<[string, State]> {
  try {
    await withDeadline(timeoutMs, check);
    return [name, "answering"];
  } catch {
    return [name, "failing"];
  }
}
