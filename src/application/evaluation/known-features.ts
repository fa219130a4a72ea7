import { SourceUnavailable } from "../../domain/errors.ts";
import type { CachedRead } from "../../domain/evaluation/cached-read.ts";
import type { FeatureKey } from "../../domain/evaluation/feature.ts";
import type { FeatureRegister } from "../../domain/features/feature-register.ts";

/** A read of the feature register. */
export type Registered = CachedRead<ReadonlySet<FeatureKey>>;

/** Pause after a failed registration, for example without the right to write. */
const retryMs = 60_000;

/** The name of the feature register in errors. */
const registerName = "feature register";

/** The features that are known though no source lists them for a caller: those of the register, if there is one. */
export class KnownFeatures {
  readonly #register: FeatureRegister | undefined;
  readonly #failed: (cause: unknown) => void;
  /** Keys that this process evaluated before the register had them. */
  readonly #unregistered = new Set<FeatureKey>();
  #registering: Promise<void> | undefined;
  /** Monotonic time, in milliseconds. */
  #retryAt = Number.NEGATIVE_INFINITY;

  /** `failed` receives failures to write the register. */
  constructor(register: FeatureRegister | undefined, failed: (cause: unknown) => void) {
    this.#register = register;
    this.#failed = failed;
  }

  /** Reads the register. Rejects with `SourceUnavailable`. */
  async read(): Promise<Registered | undefined> {
    try {
      return await this.#register?.read();
    } catch (cause) {
      throw new SourceUnavailable(registerName, cause);
    }
  }

  /** The features that are known by a read of the register, with those that wait for their registration. */
  by(registered: Registered | undefined): ReadonlySet<FeatureKey> {
    if (!registered) return new Set();
    return this.#unregistered.size === 0 ? registered.value : registered.value.union(this.#unregistered);
  }

  /** Registers features that a read did not have. If that fails, an evaluation after a minute tries again. */
  add(features: readonly { readonly key: FeatureKey }[], registered: Registered | undefined): void {
    if (!this.#register || !registered) return;
    for (const key of this.#unregistered) if (registered.value.has(key)) this.#unregistered.delete(key);
    for (const { key } of features) if (!registered.value.has(key)) this.#unregistered.add(key);
    if (this.#unregistered.size === 0 || this.#registering || performance.now() < this.#retryAt) return;
    this.#registering = this.#register
      .add([...this.#unregistered])
      .catch((cause) => {
        this.#retryAt = performance.now() + retryMs;
        this.#failed(cause);
      })
      .finally(() => {
        this.#registering = undefined;
      });
  }
}
