import { StoreFault } from "../../domain/errors.ts";
import { withDeadline } from "./deadline.ts";

/** A store, and what rejects as a change there would. */
export type ProbedStore = { readonly name: string; readonly probe: () => Promise<void> };

/** Whether a store accepts changes; `unknown` while it does not answer. */
export type ChangesState =
  | { readonly state: "accepted" | "unknown" }
  | { readonly state: "refused"; readonly reason: string };

/** Notified when that changes. */
export type ChangesListener = {
  readonly refused: (store: string, reason: string) => void;
  readonly accepted: (store: string) => void;
};

const probeTimeoutMs = 500;

/** Checks whether stores accept changes, by all that a change does but its writes. */
export class CheckChanges {
  readonly #stores: readonly ProbedStore[];
  readonly #listener: ChangesListener;
  /** Why each store refuses changes that does. */
  readonly #refusals = new Map<string, string>();
  #underway: Promise<Readonly<Record<string, ChangesState>>> | undefined;

  constructor(stores: readonly ProbedStore[], listener: ChangesListener) {
    this.#stores = stores;
    this.#listener = listener;
  }

  /** By store. Callers that come while a check is under way share its result. Never rejects. */
  check(): Promise<Readonly<Record<string, ChangesState>>> {
    this.#underway ??= Promise.all(this.#stores.map((store) => this.#checkOne(store)))
      .then((states) => Object.fromEntries(states))
      .finally(() => {
        this.#underway = undefined;
      });
    return this.#underway;
  }

  async #checkOne({ name, probe }: ProbedStore): Promise<[string, ChangesState]> {
    try {
      await withDeadline(probeTimeoutMs, probe);
    } catch (error) {
      if (!(error instanceof StoreFault)) return [name, { state: "unknown" }];
      const reason = error.message;
      if (this.#refusals.get(name) !== reason) this.#listener.refused(name, reason);
      this.#refusals.set(name, reason);
      return [name, { state: "refused", reason }];
    }
    if (this.#refusals.delete(name)) this.#listener.accepted(name);
    return [name, { state: "accepted" }];
  }
}
