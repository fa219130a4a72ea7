import {
  EventLogUnavailable,
  HistoryUnavailable,
  InvalidContext,
  SourceUnavailable,
  TokenRejected,
} from "../../domain/errors.ts";
import { type CachedRead, freshnessBoundMs, uncachedRead } from "../../domain/evaluation/cached-read.ts";
import type { EvaluationContext, Instant, UserId } from "../../domain/evaluation/evaluation-context.ts";
import type { Json } from "../../domain/evaluation/feature.ts";
import { isValue, valueRule } from "../../domain/evaluation/key-template.ts";
import { locationsAt } from "../../domain/evaluation/location.ts";
import type { LocationHints } from "../../domain/evaluation/locator.ts";
import type { TokenResolver } from "../../domain/evaluation/token-resolver.ts";
import { faultOf } from "./freshness.ts";
import { type LocateCaller, type Located, type Location, nowhere } from "./locate-caller.ts";
import type { SourceStates } from "./source-states.ts";

/** Caller: the bearer of a token or of its key in the store, a user that an operator names, or an anonymous client. */
export type Caller =
  | { readonly token: string }
  | { readonly tokenKey: string }
  | { readonly userId: UserId }
  | undefined;

/** The context of a request, without the identity of the caller. */
export type RequestContext = {
  readonly hints: LocationHints;
  /** The location that an operator gives, or the names of an earlier request. Overrides the hints. */
  readonly location?: string | readonly string[] | undefined;
  /** The id of an anonymous client, for percentages. */
  readonly clientId?: string | undefined;
  /** The user id that an app claims. Ignored if the caller is a user. */
  readonly claimedUserId?: string | undefined;
  readonly attributes?: Readonly<Record<string, Json>> | undefined;
};

/** The request context that an operator gives: location, IP address and the rest. */
export const explicitContext = ({
  ip,
  ...others
}: Omit<RequestContext, "hints"> & { readonly ip?: string | undefined }): RequestContext => ({
  hints: { ip, header: () => undefined, query: () => undefined },
  ...others,
});

/**
 * The context of a caller, the match of the locators unless an operator gave the location, and the read of the token;
 * no identity for an anonymous client.
 */
export type IdentifiedCaller = {
  readonly context: EvaluationContext;
  readonly located?: Located;
  /** Whether the location at a past instant is not known. */
  readonly isLocationUnknown?: boolean;
  readonly identity?: CachedRead<UserId | undefined>;
  /** All reads behind the context, including `identity`. */
  readonly reads: readonly CachedRead<unknown>[];
};

type Identity = CachedRead<UserId | undefined>;

type Writable<T> = { -readonly [name in keyof T]: T[name] };

/** The name of the token store in states and errors. */
export const tokensSource = "tokens";
/** The name of the store of users' locations in states and errors. No source can have this name. */
export const storedLocationsSource = "stored locations of users";

/** Identifies the caller and its location, and builds the evaluation context. */
export class IdentifyCaller {
  readonly #tokens: TokenResolver;
  readonly #locate: LocateCaller;
  readonly #states: SourceStates;
  readonly #now: () => Instant;

  constructor(tokens: TokenResolver, locate: LocateCaller, states: SourceStates, now: () => Instant) {
    this.#tokens = tokens;
    this.#locate = locate;
    this.#states = states;
    this.#now = now;
  }

  /** The key of a caller's token in the store; `undefined` for callers without a token. */
  tokenKeyOf(caller: Caller): string | undefined {
    return caller && "token" in caller ? this.#tokens.keyOf(caller.token) : undefined;
  }

  /**
   * The context for now, or for another instant; a token resolves to its present user. The user id overrides the
   * client's id as targeting key. Rejects with `TokenRejected` for an unknown token, `InvalidContext` for an invalid
   * user id or location, and `SourceUnavailable` if the token store, or the store of users' locations, does not respond
   * in time. For a past instant, `locateThen` locates the caller; then also rejects with `EventLogUnavailable`.
   */
  async identify(
    caller: Caller,
    { hints, location, clientId, claimedUserId, attributes }: RequestContext,
    at?: Instant,
    locateThen?: LocateCaller,
  ): Promise<IdentifiedCaller> {
    let identity: Identity | undefined;
    if (caller && "userId" in caller) {
      identity = uncachedRead(usable(caller.userId), this.#now());
    } else if (caller) {
      try {
        identity = await this.#read(caller);
      } catch (cause) {
        this.#states.failed(tokensSource, cause);
        throw new SourceUnavailable(tokensSource, cause);
      }
      this.#demandKnown(identity);
    }
    const userId = identity?.value;
    const found = location ? nowhere : (locateThen ?? this.#locate).locate(hints, userId);
    const isPast = locateThen !== undefined;
    const { located, reads, isUnknown } = found instanceof Promise ? await this.#stored(found, isPast) : found;
    const locations = location ? locationsAt([location].flat()) : located?.locations;
    const targetingKey = userId ?? clientId;
    // Assignments: spreads of optional fields would create an object for each.
    const context: Writable<EvaluationContext> = { at: at ?? this.#now() };
    if (userId !== undefined) context.userId = userId;
    else if (claimedUserId !== undefined) context.claimedUserId = claimedUserId;
    if (targetingKey !== undefined) context.targetingKey = targetingKey;
    if (locations) context.locations = locations;
    if (hints.ip !== undefined) context.ip = hints.ip;
    if (attributes) context.attributes = attributes;
    const identified: Writable<IdentifiedCaller> = { context, reads: identity ? [identity, ...reads] : reads };
    if (located) identified.located = located;
    if (isUnknown) identified.isLocationUnknown = true;
    if (identity) identified.identity = identity;
    return identified;
  }

  /** Reports the state of the store of users' locations, except for the past. */
  async #stored(reading: Promise<Location>, isPast: boolean): Promise<Location> {
    let location: Location;
    try {
      location = await reading;
    } catch (cause) {
      if (cause instanceof HistoryUnavailable) return { located: undefined, reads: [], isUnknown: true };
      if (cause instanceof InvalidContext || cause instanceof EventLogUnavailable) throw cause;
      this.#states.failed(storedLocationsSource, cause);
      throw new SourceUnavailable(storedLocationsSource, cause);
    }
    if (isPast) return location;
    const fault = faultOf(location.reads, this.#now());
    if (fault) this.#states.failed(storedLocationsSource, fault);
    else if (location.reads.length > 0) this.#states.succeeded(storedLocationsSource);
    return location;
  }

  #read(caller: { readonly token: string } | { readonly tokenKey: string }): Identity | Promise<Identity> {
    return "token" in caller ? this.#tokens.resolve(caller.token) : this.#tokens.resolveKey(caller.tokenKey);
  }

  /** Reports the state of the token store. Throws if the token is not known, or if that is not certain. */
  #demandKnown(identity: Identity): void {
    const fault = faultOf([identity], this.#now());
    if (fault) this.#states.failed(tokensSource, fault);
    else this.#states.succeeded(tokensSource);
    if (identity.value === undefined) {
      // A stale miss is not proof: the token may have been issued since.
      const now = this.#now();
      const isCertain = identity.isCurrent(now) || now - identity.verifiedAt(now) <= freshnessBoundMs;
      if (fault || !isCertain) throw new SourceUnavailable(tokensSource, fault);
      throw new TokenRejected();
    }
  }
}

function usable(userId: UserId): UserId {
  if (isValue(userId)) return userId;
  throw new InvalidContext(`Invalid user id (expected ${valueRule}).`);
}
