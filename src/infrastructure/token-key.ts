import { createHmac, randomBytes } from "node:crypto";
import { errorMessage } from "../domain/error-message.ts";
import { secretFile } from "./secrets/secret-file.ts";
import { SetupFailed } from "./setup-failed.ts";

/** Minimum length of a pepper, in bytes. */
export const shortestPepper = 16;

export const plainTemplate = "token:{token}";
export const hashedTemplate = "tokenh:{token}";

/**
 * Derives the key under which a store holds the user of a token. Its prefix is common to all such keys. The rest
 * represents the token, or is the token.
 */
export type TokenKeyDerivation = ((token: string) => string) & {
  readonly prefix: string;
  readonly holdsToken: boolean;
};

/** Keys that contain the token as it is: `token:1234`. */
export const plainTokenKey = (template = plainTemplate): TokenKeyDerivation => keyBy(template, true, (token) => token);

/**
 * Keys that contain base64url(HMAC-SHA-256(pepper, token)) instead of the token, so that readers of the store, its
 * dumps or its logs cannot obtain a token.
 */
export const hashedTokenKey = (pepper: string | Buffer, template = hashedTemplate): TokenKeyDerivation =>
  keyBy(template, false, (token) => createHmac("sha256", pepper).update(token).digest("base64url"));

/** Every template ends with its `{token}`. */
function keyBy(template: string, holdsToken: boolean, name: (token: string) => string): TokenKeyDerivation {
  const prefix = template.slice(0, -"{token}".length);
  return Object.assign((token: string) => prefix + name(token), { prefix, holdsToken });
}

/** Distinguishes peppers. Too short to guess a pepper from it. */
export const pepperMark = (pepper: string | Buffer): string =>
  // Not a valid token, so this is never part of a token's digest.
  createHmac("sha256", pepper).update("which pepper?").digest("base64url").slice(0, 4);

/** Digest of keys that contain tokens as they are. Without the pepper no token can be guessed from it. */
export const pepperedDigest =
  (pepper: string): ((key: string) => string) =>
  (key) =>
    createHmac("sha256", pepper).update(key).digest("base64url");

/** Reads the pepper from a file that only its owner may read. Creates it with 32 random bytes if missing. */
export function pepperIn(file: string): Buffer {
  try {
    const { content: pepper } = secretFile(file, () => randomBytes(32).toString("base64url"));
    if (pepper.length < shortestPepper) throw new Error(`less than ${shortestPepper} bytes`);
    return pepper;
  } catch (cause) {
    const reason = errorMessage(cause);
    throw new SetupFailed(`cannot use the pepper in ${file}: ${reason}; restore the file, or make it readable`);
  }
}
