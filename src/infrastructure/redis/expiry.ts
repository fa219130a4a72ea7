import type { Instant } from "../../domain/evaluation/evaluation-context.ts";

/** When a key is gone by itself, of what PTTL answered to a command sent at `at`; `Infinity` where it is not. */
export const expiry = (at: Instant, pttl: number): Instant => (pttl >= 0 ? at + pttl : Number.POSITIVE_INFINITY);
