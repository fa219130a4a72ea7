import type { Json } from "./feature.ts";

/** User id. It comes from a TokenResolver or an operator, never from a client's claim. */
export type UserId = string;

/** Milliseconds since 1970-01-01T00:00:00Z. */
export type Instant = number;

/** An instant as RFC 3339 text in UTC, with milliseconds. */
export const instantText = (at: Instant): string => new Date(at).toISOString();

/** The last instant that JavaScript dates can represent. */
export const lastInstant: Instant = 8_640_000_000_000_000;

/**
 * Evaluation context (OpenFeature specification section 3). A client cannot select another user's data: `userId` never
 * comes from a request.
 */
export type EvaluationContext = {
  readonly userId?: UserId;
  /** The id for percentages: the user id, otherwise an id that the client sends. Never selects a user's data. */
  readonly targetingKey?: string;
  /**
   * The user id that an app with a credential of scope `frontend` sends for its user, for rules. A claim: it never
   * selects a user's data. Absent beside `userId`.
   */
  readonly claimedUserId?: string;
  /**
   * Location names, most specific first: `es/madrid`, then `es`; at least one if the field is present. A claim or a
   * guess, never an authorization.
   */
  readonly locations?: readonly string[];
  /** The client's IP address. */
  readonly ip?: string;
  /** Other values that the client sends, as the configuration declares them. */
  readonly attributes?: Readonly<Record<string, Json>>;
  /** The instant of the evaluation. */
  readonly at: Instant;
};

/** A field of a context except `at`, or one attribute, such as `attributes.plan`. */
export type ContextField =
  | "userId"
  | "targetingKey"
  | "claimedUserId"
  | "locations"
  | "ip"
  | "attributes"
  | `attributes.${string}`;
