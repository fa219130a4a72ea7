import type { Instant } from "../domain/evaluation-context.ts";
import type { Source } from "../domain/source.ts";
import { within } from "./deadline.ts";
import type { SourceState, SourceStates } from "./source-states.ts";

/** Something that has to answer before the service can. */
export type Dependency = { readonly name: string; readonly check: () => Promise<void> };

export type Readiness = {
  /** Whether a client would be answered now: everybody answers who may not be left out. */
  readonly ready: boolean;
  readonly connections: Readonly<Record<string, "answering" | "failing">>;
  readonly sources: Readonly<Record<string, SourceState>>;
};

const checkTimeoutMs = 500;

/** Whether the service can answer: asks every connection, and every source what anybody would get. */
export class CheckReadiness {
  readonly #connections: readonly Dependency[];
  readonly #sources: readonly Source[];
  readonly #states: SourceStates;
  readonly #now: () => Instant;
  #underway: Promise<Readiness> | undefined;

  constructor(
    connections: readonly Dependency[],
    sources: readonly Source[],
    states: SourceStates,
    now: () => Instant,
  ) {
    this.#connections = connections;
    this.#sources = sources;
    this.#states = states;
    this.#now = now;
  }

  /** Callers that come while a check is under way share its answer. Never rejects. */
  execute(): Promise<Readiness> {
    this.#underway ??= this.#check().finally(() => {
      this.#underway = undefined;
    });
    return this.#underway;
  }

  async #check(): Promise<Readiness> {
    const [connections] = await Promise.all([
      Promise.all(this.#connections.map(({ check }) => succeeds(() => within(checkTimeoutMs, check)))),
      Promise.all(this.#sources.map((source) => this.#ask(source))),
    ]);
    const states = this.#sources.map((source) => [source.name, this.#states.of(source.name)] as const);
    const required = this.#sources.filter(({ onFailure }) => onFailure === "fail");
    return {
      ready: connections.every(Boolean) && required.every(({ name }) => this.#states.of(name) === "answering"),
      connections: Object.fromEntries(
        this.#connections.map(({ name }, index) => [name, connections[index] ? "answering" : "failing"]),
      ),
      sources: Object.fromEntries(states),
    };
  }

  async #ask(source: Source): Promise<void> {
    try {
      await within(source.timeoutMs, () => source.resolver.resolve({ at: this.#now() }));
      this.#states.answered(source.name);
    } catch (cause) {
      this.#states.failed(source.name, cause);
    }
  }
}

const succeeds = (attempt: () => Promise<unknown>): Promise<boolean> =>
  attempt().then(
    () => true,
    () => false,
  );
