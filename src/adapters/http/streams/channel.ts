import type { FlagsContext } from "../../../application/evaluation/evaluate-flags.ts";
import type { Instant } from "../../../domain/evaluation/evaluation-context.ts";
import { Seal } from "../../../infrastructure/secrets/seal.ts";

/** Longest plaintext, in characters. */
const maxTextLength = 2_000;
/** Time for which a channel is valid after its month, in milliseconds. Providers keep URLs for up to 30 days. */
const graceMs = 35 * 86_400_000;

/**
 * Channels: contexts in stream URLs, sealed. The same context has the same channel within a month on all instances;
 * without the secret, nobody can read or make one.
 */
export class Channels {
  readonly #seal: Seal;

  constructor(secret: Uint8Array) {
    this.#seal = new Seal(secret);
  }

  /** The channel of a context in the month of an instant; `undefined` if the context is too long. */
  seal(context: FlagsContext, now: Instant): string | undefined {
    const { userId, tokenKey, targetingKey, locations, ip, attributes, credential } = context;
    const month = monthOf(now);
    const key = targetingKey === userId ? undefined : targetingKey;
    const fields = [month, userId, tokenKey, key, locations, ip, attributes, credential];
    const plain = JSON.stringify(fields);
    return plain.length > maxTextLength ? undefined : this.#seal.seal(plain);
  }

  /** The context of a channel; `undefined` if the channel was not sealed with this secret, or has expired. */
  open(channel: string, now: Instant): FlagsContext | undefined {
    const plain = this.#seal.open(channel);
    if (plain === undefined) return undefined;
    const [month, userId, tokenKey, targetingKey, locations, ip, attributes, credential] = JSON.parse(plain);
    if (now >= endOf(month) + graceMs) return undefined;
    return {
      ...(userId !== null && { userId }),
      ...(tokenKey !== null && { tokenKey }),
      ...((targetingKey ?? userId) !== null && { targetingKey: targetingKey ?? userId }),
      ...(locations !== null && { locations }),
      ...(ip !== null && { ip }),
      ...(attributes !== null && { attributes }),
      ...(typeof credential === "string" && { credential }),
    };
  }
}

/** Number of months since year 0, in UTC. */
function monthOf(instant: Instant): number {
  const date = new Date(instant);
  return 12 * date.getUTCFullYear() + date.getUTCMonth();
}

/** The end of a month. */
const endOf = (month: number): Instant => Date.UTC(Math.floor(month / 12), (month % 12) + 1);

/** The end of the month of an instant. */
export const endOfMonth = (now: Instant): Instant => endOf(monthOf(now));
