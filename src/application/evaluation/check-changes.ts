import { StoreFault } from "../../domain/errors.ts";
import { withDeadline } from "../async/deadline.ts";
import { shared } from "../async/shared.ts";

/** A store, with a probe that rejects as a change would. */
export type ProbedStore = { readonly name: string; readonly probe: () => Promise<void> };

/**
 * Whether a store accepts changes; `unknown` while it does not respond. The health body shows it, also the word
 * `refused`.
 */
export type ChangesState =
  | { readonly state: "accepted" | "unknown" }
  | { readonly state: "refused"; readonly reason: string };

/** Notified when a store starts or stops rejecting changes. */
export type ChangesListener = {
  readonly rejected: (store: string, reason: string) => void;
  readonly accepted: (store: string) => void;
};

const probeTimeoutMs = 500;
const repeatAfterMs = 1_000;

/** Checks whether stores accept changes, by every step of a change except its writes. */
export class CheckChanges implements Disposable {
  readonly #stores: readonly ProbedStore[];
  readonly #listener: ChangesListener;
  /** The reason of each store that rejects changes. */
  readonly #rejections = new Map<string, string>();
  #repetition: NodeJS.Timeout | undefined;
  #isDisposed = false;

  constructor(stores: readonly ProbedStore[], listener: ChangesListener) {
    this.#stores = stores;
    this.#listener = listener;
  }

  /** Checks, and again every second while a store does not respond. Never rejects. Keeps no process alive. */
  async checkUntilKnown(): Promise<void> {
    const states = Object.values(await this.check());
    clearTimeout(this.#repetition);
    if (this.#isDisposed || states.every(({ state }) => state !== "unknown")) return;
    this.#repetition = setTimeout(() => void this.checkUntilKnown(), repeatAfterMs).unref();
  }

  /** Ends the repetition. */
  [Symbol.dispose](): void {
    this.#isDisposed = true;
    clearTimeout(this.#repetition);
  }

  /** The state of each store. Concurrent calls share a check. Never rejects. */
  readonly check = shared(
    async (): Promise<Readonly<Record<string, ChangesState>>> =>
      Object.fromEntries(await Promise.all(this.#stores.map((store) => this.#checkOne(store)))),
  );

  async #checkOne({ name, probe }: ProbedStore): Promise<[string, ChangesState]> {
    try {
      await withDeadline(probeTimeoutMs, probe);
    } catch (error) {
      if (!(error instanceof StoreFault)) return [name, { state: "unknown" }];
      const reason = error.message;
      if (this.#rejections.get(name) !== reason) this.#listener.rejected(name, reason);
      this.#rejections.set(name, reason);
      return [name, { state: "refused", reason }];
    }
    if (this.#rejections.delete(name)) this.#listener.accepted(name);
    return [name, { state: "accepted" }];
  }
}
