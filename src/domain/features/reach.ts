import type { Resolution } from "../evaluation/source-result.ts";

/**
 * Reach: the contexts for which one source has a feature on. It describes all contexts, where a resolution describes
 * one.
 */
export type Reach =
  /** On in every context. */
  | { readonly kind: "everyone" }
  /** On in some contexts: for users or at locations that have it, for a share, or by other rules. */
  | {
      readonly kind: "some";
      /** The number of users; `null` if there may be users, because they were not counted. */
      readonly users?: number | null;
      readonly locations?: readonly string[];
      /** In percent. */
      readonly share?: number;
    }
  /** Off in every context now, and on from a known time. */
  | { readonly kind: "later" }
  /** Listed, and off in every context. */
  | { readonly kind: "nobody" }
  /** Not listed. */
  | { readonly kind: "absent" }
  /** The source is unavailable, and no earlier result is cached. */
  | { readonly kind: "unknown" };

export const everyone: Reach = { kind: "everyone" };
export const nobody: Reach = { kind: "nobody" };
export const absent: Reach = { kind: "absent" };
export const unknown: Reach = { kind: "unknown" };
const later: Reach = { kind: "later" };
const someone: Reach = { kind: "some" };

/**
 * The reach of a feature, by its resolution for an empty context. `isFixed`: the source reads no field of the context.
 *
 * Uses metadata that kinds may add: `share` is a percentage, `nextWindowStartsAt` the time from which the feature is
 * on, and `error` the fault for which it is off.
 */
export function reachOf({ on, reason, metadata }: Resolution, isFixed: boolean): Reach {
  const share = metadata?.["share"];
  if (typeof share === "number") return share <= 0 ? nobody : share >= 100 ? everyone : { kind: "some", share };
  if (metadata?.["nextWindowStartsAt"] !== undefined) return later;
  if (metadata?.["error"] !== undefined) return nobody;
  if (isFixed || reason === "STATIC" || reason === "DISABLED") return on ? everyone : nobody;
  return someone;
}
