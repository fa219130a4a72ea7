import { createHmac, randomBytes } from "node:crypto";
import { secretFile } from "./secret-file.ts";
import { SetupFailed } from "./setup-failed.ts";

/** The least length of a pepper, in bytes. */
export const shortestPepper = 16;

export const plainTemplate = "token:{token}";
export const hashedTemplate = "tokenh:{token}";

/** The key under which a store keeps the user of a token, and what all such keys begin with; what comes after it stands for the token, or is it. */
export type TokenKeyDerivation = ((token: string) => string) & {
  readonly prefix: string;
  readonly holdsToken: boolean;
};

/** Keys that hold the token as it is: `token:1234`. */
export const plainTokenKey = (template = plainTemplate): TokenKeyDerivation => keyBy(template, true, (token) => token);

/**
 * Keys that hold base64url(HMAC-SHA-256(pepper, token)) in the token's place, so that whoever reads the
 * store, its dumps or its logs learns no token.
 */
export const hashedTokenKey = (pepper: string | Buffer, template = hashedTemplate): TokenKeyDerivation =>
  keyBy(template, false, (token) => createHmac("sha256", pepper).update(token).digest("base64url"));

/** Every template ends with its `{token}`. */
function keyBy(template: string, holdsToken: boolean, name: (token: string) => string): TokenKeyDerivation {
  const prefix = template.slice(0, -"{token}".length);
  return Object.assign((token: string) => prefix + name(token), { prefix, holdsToken });
}

/** Tells one pepper from another, and is too short to guess one by it. */
export const pepperMark = (pepper: string | Buffer): string =>
  // What no token is, so that it is no part of any token's digest.
  createHmac("sha256", pepper).update("which pepper?").digest("base64url").slice(0, 4);

/** Digests of keys that hold tokens as they are; without the pepper no token can be guessed by them. */
export const pepperedDigest =
  (pepper: string): ((key: string) => string) =>
  (key) =>
    createHmac("sha256", pepper).update(key).digest("base64url");

/** The pepper in a file that only its owner may read; made with 32 random bytes where it is missing. */
export function pepperIn(file: string): Buffer {
  try {
    const { content: pepper } = secretFile(file, () => randomBytes(32).toString("base64url"));
    if (pepper.length < shortestPepper) throw new Error(`it has less than ${shortestPepper} bytes`);
    return pepper;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : cause;
    throw new SetupFailed(`the pepper in ${file} cannot be used: ${reason}; restore it, or make it readable`);
  }
}
