import { createHmac, randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** The key under which a store keeps the user of a token. */
export type TokenKey = (token: string) => string;

/** Keys that hold the token as it is: `token:1234`. */
export const plainTokenKey =
  (template = "token:{token}"): TokenKey =>
  (token) =>
    template.replace("{token}", () => token);

/**
 * Keys that hold base64url(HMAC-SHA-256(pepper, token)) in the token's place, so that whoever reads the
 * store, its dumps or its logs learns no token.
 */
export const hashedTokenKey =
  (pepper: string | Buffer, template = "tokenh:{token}"): TokenKey =>
  (token) =>
    template.replace("{token}", createHmac("sha256", pepper).update(token).digest("base64url"));

/** The pepper in a file that only its owner may read; made with 32 random bytes where it is missing. */
export function pepperIn(file: string): Buffer {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  try {
    writeFileSync(file, randomBytes(32).toString("base64url"), { flag: "wx", mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  const pepper = readFileSync(file);
  if (pepper.length < 16)
    throw new Error(`${file} holds no pepper of 16 bytes or more; restore it, or remove the file`);
  return pepper;
}
