import { hash, randomBytes } from "node:crypto";
import { errorMessage } from "../../domain/error-message.ts";
import { SetupFailed } from "../setup-failed.ts";
import { secretFile } from "./secret-file.ts";

/** Prefix of generated secrets, so that scanners for leaked secrets find them. */
export const credentialPrefix = "tgc_";

/** Whether a text is valid as the first credential: 16 or more visible ASCII characters. */
export const isCredential = (text: string): boolean => /^[\x21-\x7e]{16,}$/.test(text);

/** SHA-256 of a secret, as it is stored. Safe for secrets of 32 random bytes. */
export const secretDigest = (secret: string): string => hash("sha256", secret, "base64url");

/** Generates a secret of 32 random bytes. */
export function newSecret(): { readonly secret: string; readonly digest: string } {
  const secret = `${credentialPrefix}${randomBytes(32).toString("base64url")}`;
  return { secret, digest: secretDigest(secret) };
}

/**
 * Reads the first credential from a file that only its owner may read. Creates the file with a new secret if missing.
 * Throws `SetupFailed` if that fails.
 */
export function credentialIn(file: string): { readonly secret: string; readonly isNew: boolean } {
  try {
    const { content, isNew } = secretFile(file, () => `${newSecret().secret}\n`);
    const secret = content.toString("utf8").trim();
    if (!isCredential(secret)) throw new Error("fewer than 16 visible ASCII characters");
    return { secret, isNew };
  } catch (cause) {
    const reason = errorMessage(cause);
    throw new SetupFailed(
      `cannot use the operator credential in ${file}: ${reason}; remove the file, or make it readable`,
    );
  }
}
