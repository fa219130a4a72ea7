import { hash } from "node:crypto";
import { type CachedRead, uncachedRead } from "../../domain/evaluation/cached-read.ts";
import type { Instant, UserId } from "../../domain/evaluation/evaluation-context.ts";
import type { InvalidationFeed } from "../../domain/evaluation/invalidation-feed.ts";
import { isToken } from "../../domain/evaluation/token.ts";
import type { TokenResolver } from "../../domain/evaluation/token-resolver.ts";
import type { TokenKeyDerivation } from "../token-key.ts";
import { type CacheLimits, NearCache } from "./near-cache.ts";

/**
 * Caches token lookups by digest, so that no token stays in memory. If keys contain the tokens as they are, only a
 * digest with a pepper prevents guessing.
 */
export class CachedTokenResolver implements TokenResolver {
  readonly cache: NearCache<UserId | undefined>;
  readonly #tokens: TokenResolver;
  readonly keyOf: TokenKeyDerivation;
  readonly #digestOf: (key: string) => string;
  readonly #now: () => Instant;

  constructor(
    tokens: TokenResolver,
    keyOf: TokenKeyDerivation,
    invalidations: InvalidationFeed,
    limits: CacheLimits,
    now: () => Instant,
    digest: (key: string) => string = sha256,
  ) {
    this.#tokens = tokens;
    this.keyOf = keyOf;
    this.#digestOf = digest;
    this.cache = new NearCache({
      isArbitrary: (userId) => userId === undefined,
      isSame: Object.is,
      staleIfInvalid: false,
      invalidations,
      limits,
      now,
    });
    this.#now = now;
    invalidations.subscribe((key) => this.cache.invalidate(key === undefined ? undefined : digest(key)));
  }

  resolve(token: string): CachedRead<UserId | undefined> | Promise<CachedRead<UserId | undefined>> {
    if (!isToken(token)) return uncachedRead(undefined, this.#now());
    return this.resolveKey(this.keyOf(token));
  }

  resolveKey(key: string): CachedRead<UserId | undefined> | Promise<CachedRead<UserId | undefined>> {
    return this.cache.get(this.#digestOf(key), () => this.#tokens.resolveKey(key));
  }
}

const sha256 = (key: string): string => hash("sha256", key, "base64url");
