/** Who somebody is to us. Only ever learnt from a TokenResolver, or named by an operator. */
export type UserId = string;

/** Milliseconds since 1970-01-01T00:00:00Z. */
export type Instant = number;

/** The last instant that can be told of. */
export const lastInstant: Instant = 8_640_000_000_000_000;

/**
 * Who and what is asking: OpenFeature's evaluation context (specification section 3).
 * Nothing that a client can type selects another user's data, so `userId` never comes from a request.
 */
export type EvaluationContext = {
  readonly userId?: UserId;
  /** Whom a percentage counts: the user id, or else an id that the client brings. Selects nobody's data. */
  readonly targetingKey?: string;
  /**
   * The names of where the client is, the most exact first: `es/madrid`, then `es`; at least one where the field is there. A claim or a
   * guess, never an authorization.
   */
  readonly locations?: readonly string[];
  /** The address that the call came from. */
  readonly ip?: string;
  /** What else the client says of itself, as the configuration declares it. */
  readonly attributes?: Readonly<Record<string, Attribute>>;
  /** The instant asked about. */
  readonly at: Instant;
};

/** The value of an attribute of a context. */
export type Attribute = string | number | boolean;

/** A field of a context but its instant, or one of its attributes, as `attributes.plan`. */
export type ContextField = "userId" | "targetingKey" | "locations" | "ip" | "attributes" | `attributes.${string}`;

/** The fields of a context that a key template may name; of its locations each gives a key. A targeting key is not among them: a client may type it. */
export const keyFields = ["userId", "location"] as const;
export type KeyField = (typeof keyFields)[number];

/** The longest value of such a field, in UTF-16 code units. */
export const longestValue = 200;
const unusable = /[\p{Cc}\p{Cs}]/u;

/** Whether a text may be the value of such a field: 1 to 200 characters, none of them a control character. */
export const isValue = (text: string): boolean => text !== "" && text.length <= longestValue && !unusable.test(text);
