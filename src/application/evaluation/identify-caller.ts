import { InvalidContext, SourceUnavailable, TokenRejected } from "../../domain/errors.ts";
import { type CachedRead, freshnessBoundMs, uncachedRead } from "../../domain/evaluation/cached-read.ts";
import {
  type Attribute,
  type EvaluationContext,
  type Instant,
  isValue,
  longestValue,
  type UserId,
} from "../../domain/evaluation/evaluation-context.ts";
import { locationsAt } from "../../domain/evaluation/location.ts";
import type { LocationHints } from "../../domain/evaluation/locator.ts";
import type { TokenResolver } from "../../domain/evaluation/token-resolver.ts";
import { faultOf } from "./freshness.ts";
import type { LocateCaller, Located, Location } from "./locate-caller.ts";
import type { SourceStates } from "./source-states.ts";

/** Who asks: the bearer of a token, a user whom an operator names, or nobody in particular. */
export type Caller = { readonly token: string } | { readonly userId: UserId } | undefined;

/** What is told of the circumstances of a call, beside who makes it. */
export type RequestContext = {
  readonly clues: LocationHints;
  /** Where the caller is, where an operator says that: whatever the clues are. */
  readonly location?: string | undefined;
  /** By what the client is told apart from others while it is nobody in particular. */
  readonly clientId?: string | undefined;
  readonly attributes?: Readonly<Record<string, Attribute>> | undefined;
};

/** Circumstances as an operator tells them: where a caller is, the address that it calls from, and the rest. */
export const explicitContext = ({
  ip,
  ...others
}: Omit<RequestContext, "clues"> & { readonly ip?: string | undefined }): RequestContext => ({
  clues: { ip, header: () => undefined, query: () => undefined },
  ...others,
});

/** The context of a caller, how it was found out where that is unless an operator said so, and the read that says who it is; without one for nobody in particular. */
export type Identified = {
  readonly context: EvaluationContext;
  readonly located?: Located;
  readonly identity?: CachedRead<UserId | undefined>;
  /** All reads that the context follows from, `identity` among them. */
  readonly reads: readonly CachedRead<unknown>[];
};

/** The name under which the store of tokens fails and recovers. */
export const tokensSource = "tokens";
/** The same of the store of users' places. No source can have it. */
export const placesSource = "places of users";

/** Finds out who asks and where from, and makes the evaluation context of it. */
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

  /**
   * The context for the present, or for another instant: a token names its user of now. Whoever is somebody is counted as that, whatever
   * id the client brings. Rejects with `TokenRejected` for a token nobody is known by, `InvalidContext` for a user or location that cannot
   * be one, and `SourceUnavailable` when the store of tokens, or of users' places, does not answer in time.
   */
  async identify(
    caller: Caller,
    { clues, location, clientId, attributes }: RequestContext,
    at?: Instant,
  ): Promise<Identified> {
    const identity = caller && (await this.#identify(caller));
    const userId = identity?.value;
    const { located, reads } = location ? { located: undefined, reads: [] } : await this.#located(clues, userId);
    const locations = location ? locationsAt([location]) : located?.locations;
    const targetingKey = userId ?? clientId;
    const context = {
      at: at ?? this.#now(),
      ...(userId === undefined ? {} : { userId }),
      ...(targetingKey === undefined ? {} : { targetingKey }),
      ...(locations ? { locations } : {}),
      ...(clues.ip === undefined ? {} : { ip: clues.ip }),
      ...(attributes ? { attributes } : {}),
    };
    return {
      context,
      ...(located ? { located } : {}),
      ...(identity ? { identity } : {}),
      reads: identity ? [identity, ...reads] : reads,
    };
  }

  async #located(clues: LocationHints, userId: UserId | undefined): Promise<Location> {
    let location: Location;
    try {
      location = await this.#locate.locate(clues, userId);
    } catch (cause) {
      if (cause instanceof InvalidContext) throw cause;
      this.#states.failed(placesSource, cause);
      throw new SourceUnavailable(placesSource, cause);
    }
    const fault = faultOf(location.reads, this.#now());
    if (fault) this.#states.failed(placesSource, fault);
    else if (location.reads.length > 0) this.#states.answered(placesSource);
    return location;
  }

  async #identify(caller: NonNullable<Caller>): Promise<CachedRead<UserId | undefined>> {
    if ("userId" in caller) return uncachedRead(usable(caller.userId), this.#now());
    let identity: CachedRead<UserId | undefined>;
    try {
      identity = await this.#tokens.resolve(caller.token);
    } catch (cause) {
      this.#states.failed(tokensSource, cause);
      throw new SourceUnavailable(tokensSource, cause);
    }
    const fault = faultOf([identity], this.#now());
    if (fault) this.#states.failed(tokensSource, fault);
    else this.#states.answered(tokensSource);
    if (identity.value === undefined) {
      // What was unknown may have been issued since: it is unknown only while that is certain.
      const now = this.#now();
      const isCertain = identity.isCurrent(now) || now - identity.verifiedAt(now) <= freshnessBoundMs;
      if (fault || !isCertain) throw new SourceUnavailable(tokensSource, fault);
      throw new TokenRejected();
    }
    return identity;
  }
}

function usable(userId: UserId): UserId {
  if (isValue(userId)) return userId;
  throw new InvalidContext(`A user id has 1 to ${longestValue} printable characters; name another user, or none.`);
}
