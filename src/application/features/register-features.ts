import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import type { Lease } from "../../domain/events/lease.ts";
import { dayOf, type FeatureRegister } from "../../domain/features/feature-register.ts";
import { repeated } from "../async/repeated.ts";
import type { ListFeatures } from "./list-features.ts";

const everyMs = 600_000;
/** Delay of the first run after the start. */
const firstMs = 60_000;

/**
 * Registers all features that are listed, every ten minutes, in one of the processes. So a feature stays known after it
 * was removed everywhere, also if no client evaluated it before.
 */
export class RegisterFeatures {
  readonly #features: ListFeatures;
  readonly #register: FeatureRegister;
  readonly #lease: Lease;
  readonly #now: () => Instant;
  readonly #runs: ReturnType<typeof repeated>;
  #registered = new Set<string>();
  #day = 0;

  constructor(
    features: ListFeatures,
    register: FeatureRegister,
    lease: Lease,
    now: () => Instant,
    failed: (cause: unknown) => void,
  ) {
    this.#features = features;
    this.#register = register;
    this.#lease = lease;
    this.#now = now;
    this.#runs = repeated(() => this.run(), everyMs, failed);
  }

  start(): void {
    this.#runs.start(firstMs);
  }

  async stop(): Promise<void> {
    await this.#runs.stop();
    await this.#lease.release().catch(() => {});
  }

  /** Registers new features, and on a new day all of them. Rejects as `ListFeatures` and `FeatureRegister` do. */
  async run(): Promise<void> {
    if (!(await this.#lease.hold(everyMs + firstMs))) return;
    const today = dayOf(this.#now());
    if (today !== this.#day) this.#registered = new Set();
    const added = (await this.#features.keys()).filter((key) => !this.#registered.has(key));
    if (added.length > 0) await this.#register.add(added);
    for (const key of added) this.#registered.add(key);
    this.#day = today;
  }
}
