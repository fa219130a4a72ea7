import { createCipheriv, createDecipheriv, createHmac, hkdfSync, timingSafeEqual } from "node:crypto";
import type { FlagsContext } from "../../../application/evaluation/evaluate-flags.ts";
import type { Instant } from "../../../domain/evaluation/evaluation-context.ts";

/** Longest plaintext, in characters. */
const maxTextLength = 2_000;
/** How long a channel is valid after its month, in milliseconds. Providers keep URLs for up to 30 days. */
const graceMs = 35 * 86_400_000;
const ivBytes = 12;
const tagBytes = 16;

/**
 * Channels: contexts in stream URLs, by deterministic authenticated encryption. The same context has the same channel
 * within a month on all instances; without the secret, nobody can read or make one. The nonce is derived from the
 * plaintext (a synthetic IV), so that it never repeats for another plaintext.
 */
export class Channels {
  readonly #encryptionKey: Uint8Array;
  readonly #nonceKey: Uint8Array;

  constructor(secret: Uint8Array) {
    const derive = (purpose: string) => new Uint8Array(hkdfSync("sha256", secret, "", `tidegate ${purpose}`, 32));
    this.#encryptionKey = derive("encryption");
    this.#nonceKey = derive("nonce");
  }

  /** The channel of a context in the month of an instant; `undefined` if the context is too long. */
  seal(context: FlagsContext, now: Instant): string | undefined {
    const { userId, targetingKey, locations, ip, attributes } = context;
    const month = monthOf(now);
    const fields = [month, userId, targetingKey === userId ? undefined : targetingKey, locations, ip, attributes];
    const plain = JSON.stringify(fields);
    if (plain.length > maxTextLength) return undefined;
    const iv = this.#nonce(plain);
    const cipher = createCipheriv("aes-256-gcm", this.#encryptionKey, iv);
    return Buffer.concat([iv, cipher.update(plain), cipher.final(), cipher.getAuthTag()]).toString("base64url");
  }

  /** The context of a channel; `undefined` if the channel was not sealed with this secret, or has expired. */
  open(channel: string, now: Instant): FlagsContext | undefined {
    const sealed = Buffer.from(channel, "base64url");
    if (sealed.length <= ivBytes + tagBytes || sealed.toString("base64url") !== channel) return undefined;
    const iv = sealed.subarray(0, ivBytes);
    const decipher = createDecipheriv("aes-256-gcm", this.#encryptionKey, iv);
    decipher.setAuthTag(sealed.subarray(-tagBytes));
    let plain: string;
    try {
      plain = Buffer.concat([decipher.update(sealed.subarray(ivBytes, -tagBytes)), decipher.final()]).toString();
    } catch {
      return undefined;
    }
    if (!timingSafeEqual(this.#nonce(plain), iv)) return undefined;
    const [month, userId, targetingKey, locations, ip, attributes] = JSON.parse(plain);
    if (now >= endOf(month) + graceMs) return undefined;
    return {
      ...(userId !== null && { userId }),
      ...((targetingKey ?? userId) !== null && { targetingKey: targetingKey ?? userId }),
      ...(locations !== null && { locations }),
      ...(ip !== null && { ip }),
      ...(attributes !== null && { attributes }),
    };
  }

  #nonce(plain: string): Buffer {
    return createHmac("sha256", this.#nonceKey).update(plain).digest().subarray(0, ivBytes);
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
