import { hash } from "node:crypto";
import type { ChangeFeed } from "../../domain/change-feed.ts";
import type { Instant, UserId } from "../../domain/evaluation-context.ts";
import { type Held, readAt } from "../../domain/held.ts";
import { isToken } from "../../domain/token.ts";
import type { TokenResolver } from "../../domain/token-resolver.ts";
import type { TokenKey } from "../token-key.ts";
import { type CacheLimits, NearCache } from "./near-cache.ts";

/**
 * Remembers who tokens speak for, under digests of their keys: no token stays in memory. Where the keys hold the tokens as
 * they are, only a digest with a pepper keeps them from being guessed by it.
 */
export class CachedTokenResolver implements TokenResolver {
  readonly cache: NearCache<UserId | undefined>;
  readonly #tokens: TokenResolver;
  readonly #digestOf: (token: string) => string;
  readonly #now: () => Instant;

  constructor(
    tokens: TokenResolver,
    keyOf: TokenKey,
    feed: ChangeFeed,
    limits: CacheLimits,
    now: () => Instant,
    digest: (key: string) => string = sha256,
  ) {
    this.#tokens = tokens;
    this.#digestOf = (token) => digest(keyOf(token));
    this.cache = new NearCache({
      isAbsent: (userId) => userId === undefined,
      isSame: Object.is,
      outlivesInvalidData: false,
      feed,
      limits,
      now,
    });
    this.#now = now;
    feed.listen((key) => this.cache.forget(key === undefined ? undefined : digest(key)));
  }

  resolve(token: string): Held<UserId | undefined> | Promise<Held<UserId | undefined>> {
    if (!isToken(token)) return readAt(undefined, this.#now());
    return this.cache.get(this.#digestOf(token), async () => this.#tokens.resolve(token));
  }
}

const sha256 = (key: string): string => hash("sha256", key, "base64url");
