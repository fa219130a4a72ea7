import type { Pepper } from "../../infrastructure/secrets/peppered-connection.ts";
import { SetupFailed } from "../../infrastructure/setup-failed.ts";
import {
  hashedTokenKey,
  pepperedDigest,
  pepperIn,
  plainTokenKey,
  type TokenKeyDerivation,
} from "../../infrastructure/token-key.ts";
import type { TokenOptions } from "../config/schema.ts";

export const tokenKey = (options: TokenOptions, env: NodeJS.ProcessEnv): TokenKeyDerivation =>
  options.layout === "plain" ? plainTokenKey(options.key) : hashedTokenKey(pepperOf(options, env).value, options.key);

/** The pepper of hashed tokens, and where it is from. */
export function pepperOf({ pepperFile }: TokenOptions, env: NodeJS.ProcessEnv): Pepper {
  const fromEnv = env["TIDEGATE_TOKEN_PEPPER"];
  if (fromEnv) return { value: fromEnv, origin: "TIDEGATE_TOKEN_PEPPER" };
  if (pepperFile) return { value: pepperIn(pepperFile), origin: pepperFile };
  throw new SetupFailed("hashed tokens need a pepper (set TIDEGATE_TOKEN_PEPPER or pepperFile)");
}

/** Digest of a token's key, or `undefined` if the key does not contain the token itself. */
export function tokenDigest({ layout }: TokenOptions, env: NodeJS.ProcessEnv): ((key: string) => string) | undefined {
  const pepper = env["TIDEGATE_TOKEN_PEPPER"];
  return layout === "plain" && pepper ? pepperedDigest(pepper) : undefined;
}

export const areDigestsSecret = (tokens: TokenOptions, env: NodeJS.ProcessEnv): boolean =>
  tokens.layout === "hashed" || tokenDigest(tokens, env) !== undefined;
