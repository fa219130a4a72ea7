import { createCipheriv, createDecipheriv, createHmac, hkdfSync, timingSafeEqual } from "node:crypto";

const ivBytes = 12;
const tagBytes = 16;

/**
 * Deterministic authenticated encryption of short texts (AES-256-GCM): equal texts have equal seals, and a seal can be
 * read and made with the secret only. The nonce is derived from the text (a synthetic IV), so that it never repeats for
 * another text.
 */
export class Seal {
  readonly #encryptionKey: Uint8Array;
  readonly #nonceKey: Uint8Array;

  constructor(secret: Uint8Array) {
    const derive = (purpose: string) => new Uint8Array(hkdfSync("sha256", secret, "", `tidegate ${purpose}`, 32));
    this.#encryptionKey = derive("encryption");
    this.#nonceKey = derive("nonce");
  }

  seal(text: string): string {
    const iv = this.#nonce(text);
    const cipher = createCipheriv("aes-256-gcm", this.#encryptionKey, iv);
    return Buffer.concat([iv, cipher.update(text), cipher.final(), cipher.getAuthTag()]).toString("base64url");
  }

  /** The sealed text; `undefined` if it was not sealed with this secret. */
  open(sealed: string): string | undefined {
    const bytes = Buffer.from(sealed, "base64url");
    if (bytes.length <= ivBytes + tagBytes || bytes.toString("base64url") !== sealed) return undefined;
    const iv = bytes.subarray(0, ivBytes);
    const decipher = createDecipheriv("aes-256-gcm", this.#encryptionKey, iv);
    decipher.setAuthTag(bytes.subarray(-tagBytes));
    try {
      const text = Buffer.concat([decipher.update(bytes.subarray(ivBytes, -tagBytes)), decipher.final()]).toString();
      return timingSafeEqual(this.#nonce(text), iv) ? text : undefined;
    } catch {
      return undefined;
    }
  }

  #nonce(text: string): Buffer {
    return createHmac("sha256", this.#nonceKey).update(text).digest().subarray(0, ivBytes);
  }
}
