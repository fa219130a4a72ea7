import type { CachedRead } from "../evaluation/cached-read.ts";
import type { Instant } from "../evaluation/evaluation-context.ts";
import type { FeatureKey } from "../evaluation/feature.ts";

/** How long a feature stays known after it was last registered, in days. */
export const registeredForDays = 400;

/**
 * Feature register: the keys that some source, rule or description listed during the last 400 days. With it, clients
 * can tell a feature that is off from one that does not exist.
 */
export interface FeatureRegister {
  /**
   * The registered keys, in no particular order. Returns synchronously if they are cached. Rejects if they cannot be
   * read.
   */
  read(): CachedRead<ReadonlySet<FeatureKey>> | Promise<CachedRead<ReadonlySet<FeatureKey>>>;
  /** Registers keys for the next 400 days, and removes keys whose time is over. Idempotent. */
  add(keys: readonly FeatureKey[]): Promise<void>;
}

/** The day of an instant, counted from 1970-01-01 in UTC. */
export const dayOf = (instant: Instant): number => Math.floor(instant / 86_400_000);
