import { hash, randomBytes } from "node:crypto";
import { secretFile } from "./secret-file.ts";
import { SetupFailed } from "./setup-failed.ts";

/** What every secret begins with that is made here, so that scanners for leaked secrets find it. */
const prefix = "tgc_";

/** Whether a text may be the first credential: 16 or more visible ASCII characters. */
export const isCredential = (text: string): boolean => /^[\x21-\x7e]{16,}$/.test(text);

/** What is kept of a secret: its SHA-256, from which a secret of 32 random bytes cannot be guessed. */
export const secretDigest = (secret: string): string => hash("sha256", secret, "base64url");

/** A secret that nobody can guess: 32 random bytes. */
export function newSecret(): { readonly secret: string; readonly digest: string } {
  const secret = `${prefix}${randomBytes(32).toString("base64url")}`;
  return { secret, digest: secretDigest(secret) };
}

/** The first credential in a file that only its owner may read; made with a secret where it is missing. Throws `SetupFailed` where it cannot be had. */
export function credentialIn(file: string): { readonly secret: string; readonly isNew: boolean } {
  try {
    const { content, isNew } = secretFile(file, () => `${newSecret().secret}\n`);
    const secret = content.toString("utf8").trim();
    if (!isCredential(secret)) throw new Error("it has not 16 or more visible ASCII characters");
    return { secret, isNew };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : cause;
    throw new SetupFailed(
      `the operators' credential in ${file} cannot be used: ${reason}; remove the file, or make it readable`,
    );
  }
}
