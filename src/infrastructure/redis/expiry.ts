import type { Instant } from "../../domain/evaluation/evaluation-context.ts";

/** The instant at which a key expires, from the PTTL reply to a command sent at `at`. `Infinity` for no expiry. */
export const expiry = (at: Instant, pttl: number): Instant => (pttl >= 0 ? at + pttl : Number.POSITIVE_INFINITY);
