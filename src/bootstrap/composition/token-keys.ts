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
  options.layout === "plain" ? plainTokenKey(options.key) : hashedTokenKey(pepperOf(options, env), options.key);

export function pepperOf({ pepperFile }: TokenOptions, env: NodeJS.ProcessEnv): string | Buffer {
  const pepper = env["TIDEGATE_TOKEN_PEPPER"] || (pepperFile && pepperIn(pepperFile));
  if (!pepper) throw new SetupFailed("hashed tokens need a pepper (set TIDEGATE_TOKEN_PEPPER or pepperFile)");
  return pepper;
}

/** Digest of a token's key, or `undefined` if the key does not contain the token itself. */
export function tokenDigest({ layout }: TokenOptions, env: NodeJS.ProcessEnv): ((key: string) => string) | undefined {
  const pepper = env["TIDEGATE_TOKEN_PEPPER"];
  return layout === "plain" && pepper ? pepperedDigest(pepper) : undefined;
}

export const areDigestsSecret = (tokens: TokenOptions, env: NodeJS.ProcessEnv): boolean =>
  tokens.layout === "hashed" || tokenDigest(tokens, env) !== undefined;
