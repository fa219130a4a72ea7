import type { TidegateError } from "../../../domain/errors.ts";

/** A problem type (RFC 9457): its status and title, and the text of its page. */
export type ProblemType = {
  readonly status:
    | 400
    | 401
    | 403
    | 404
    | 405
    | 406
    | 408
    | 409
    | 412
    | 413
    | 414
    | 415
    | 417
    | 422
    | 429
    | 431
    | 500
    | 501
    | 503;
  readonly title: string;
  /** For the docs: when it occurs, and what a caller can do. */
  readonly meaning: string;
  /** Seconds after which a retry can succeed; absent if an operator must act first. */
  readonly retryAfter?: number;
};

/** Every problem of the HTTP API, by code. The meaning of a code never changes. */
export const problemTypes = {
  "bad-request": {
    status: 400,
    title: "Bad request",
    meaning:
      "The request is not valid HTTP/1.1 (RFC 9112): its request line, Host or framing is faulty. Fix the client or the proxy between.",
  },
  "bad-path": {
    status: 400,
    title: "Bad path",
    meaning:
      "The path has an empty or dotted segment, a backslash, an encoded control character or a broken escape. Percent-encode a path parameter, as `a%2Fb` for the feature `a/b`.",
  },
  "invalid-context": {
    status: 400,
    title: "Invalid context",
    meaning:
      "What the call tells of its circumstances cannot be: the name of a place is longer than 200 characters, deeper than 8 levels, has control characters or is given twice, or coordinates are no point. The detail names it and what to send.",
  },
  "invalid-query": {
    status: 400,
    title: "Invalid query",
    meaning:
      "A query parameter is unknown, blank, given twice, or has a value that it cannot have. The detail names it and what it takes.",
  },
  "credential-in-query": {
    status: 400,
    title: "Credential in the query",
    meaning:
      "A query parameter such as `token`, `access_token`, `api_key` or `password` holds a credential. URLs are written to logs. Send `Authorization: Bearer <token>` instead, and replace the credential.",
  },
  "invalid-window": {
    status: 400,
    title: "Invalid window",
    meaning: "`starts_at` is after `ends_at`. Send them the other way round.",
  },
  "invalid-cursor": {
    status: 400,
    title: "Invalid cursor",
    meaning:
      "The cursor is none that was given out for these filters. Send it as it came, with the same filters; or leave it out, to begin anew.",
  },
  "invalid-header": {
    status: 400,
    title: "Invalid header",
    meaning: "A header has a value that it cannot have. The detail names it and what it takes.",
  },
  "invalid-json": {
    status: 400,
    title: "Invalid JSON",
    meaning:
      "The body is not JSON in UTF-8, names a member of an object twice, or has a member `__proto__`. Mend what writes it.",
  },
  "malformed-authorization": {
    status: 401,
    title: "Malformed authorization",
    meaning:
      "The Authorization header is empty, holds several credentials, cannot be decoded, or a token follows `Bearer` that has other characters than those of RFC 6750's `b64token`. Send `Bearer <token>`, or `Basic` with the token as password, which takes any token; or leave it out.",
  },
  "unsupported-auth-scheme": {
    status: 401,
    title: "Unsupported authorization scheme",
    meaning: "The scheme is neither Bearer nor Basic. Use one of them, or leave the header out.",
  },
  "invalid-token": {
    status: 401,
    title: "Invalid token",
    meaning: "Nobody is known by the token. Get a new one, or send none to get what everyone gets.",
  },
  unauthenticated: {
    status: 401,
    title: "Operator credential required",
    meaning:
      "The route is for operators, and the request has no credential of theirs, or one that is not known (any more). Send `Bearer <credential>`, or `Basic` with it as password. The value of TIDEGATE_ADMIN_TOKEN is one, and `tidegate credentials add` issues more.",
  },
  forbidden: {
    status: 403,
    title: "Forbidden",
    meaning: "The route is for operators, and the token is a client's. Send a credential of an operator.",
  },
  "insufficient-scope": {
    status: 403,
    title: "Insufficient scope",
    meaning:
      "The credential is known, and may not do this: a `recorder` posts events and nothing else, a `viewer` reads, an `editor` changes features too and posts events, an `admin` does all. Use one of the scope that the detail names.",
  },
  "cross-origin": {
    status: 403,
    title: "Cross-origin",
    meaning:
      "A page of another origin called a route of operators. Call it from a page that this service serves, or from no page.",
  },
  "not-found": {
    status: 404,
    title: "Not found",
    meaning: "There is nothing at this path. See /docs for what there is.",
  },
  "unknown-set": {
    status: 404,
    title: "Unknown set",
    meaning: "No source reads a set of this key. Name one that fits the key of a source in the configuration.",
  },
  "unknown-source": {
    status: 404,
    title: "Unknown source",
    meaning: "There is no source of this name. GET /admin/v1/sources lists those that there are.",
  },
  "unknown-feature": {
    status: 404,
    title: "Unknown feature",
    meaning: "No source knows the feature, nor does the catalogue. GET /admin/v1/features lists those that are known.",
  },
  "unknown-item": {
    status: 404,
    title: "Unknown item",
    meaning: "No item of this id was ever offered. Send an id from GET /search.",
  },
  "unknown-key": {
    status: 404,
    title: "Unknown key",
    meaning: "The key does not exist in the store, or no prefix of `server.proxy` fits it. The detail names which.",
  },
  "history-unavailable": {
    status: 404,
    title: "History unavailable",
    meaning:
      "No source has history at the moment asked about. The detail names the sources, and from when on each is known. Ask about a later moment.",
  },
  "method-not-allowed": {
    status: 405,
    title: "Method not allowed",
    meaning: "The path does not take this method. The Allow header lists those it takes.",
  },
  "not-acceptable": {
    status: 406,
    title: "Not acceptable",
    meaning: "The Accept header leaves out application/json, which is all there is. Accept it.",
  },
  "request-timeout": {
    status: 408,
    title: "Request timeout",
    meaning: "The request did not arrive whole within 15 seconds, or its headers within 5. Send it again.",
  },
  "not-changeable": {
    status: 409,
    title: "Not changeable",
    meaning:
      "The source reads no sets, or the configuration has no place for what was to be changed. Change what the source reads, or the configuration.",
  },
  "unsupported-value": {
    status: 409,
    title: "Unsupported value",
    meaning:
      "The key holds something other than a string or a set, a value that is too large, or bytes that are not UTF-8. The detail names which. Retrying does not help: read the key with a client of the store.",
  },
  "no-kill-switch": {
    status: 409,
    title: "No kill switch",
    meaning:
      'No veto reads a fixed set. Add one to the sources: `{ name: killed, kind: set, connection: features, key: "tidegate:killed", role: veto }`.',
  },
  "payload-too-large": {
    status: 413,
    title: "Payload too large",
    meaning: "The body is larger than the route takes. Send less at once.",
  },
  "uri-too-long": {
    status: 414,
    title: "URI too long",
    meaning: "The request target is longer than 12,288 characters. Shorten the query.",
  },
  "unsupported-media-type": {
    status: 415,
    title: "Unsupported media type",
    meaning: "The body is not `Content-Type: application/json`, or is compressed. Send plain JSON in UTF-8.",
  },
  "expectation-failed": {
    status: 417,
    title: "Expectation failed",
    meaning: "The Expect header asks for something other than 100-continue. Leave it out.",
  },
  "validation-failed": {
    status: 422,
    title: "Validation failed",
    meaning:
      "The body is JSON, but not what the route takes. `errors` lists the faults, each with the JSON pointer (RFC 6901) of where it is; at most 20.",
  },
  "invalid-feature-key": {
    status: 422,
    title: "Invalid feature key",
    meaning:
      "The text is no feature key: a key has 1 to 1,024 characters, none of them a control character. The key of a new grant has 1 to 200 of `A-Z a-z 0-9 . _ : / -`, a letter or digit first. Keys that other tools granted can be killed, described and removed.",
  },
  "change-too-large": {
    status: 422,
    title: "Change too large",
    meaning:
      "The change names too many features, or the set would have more members than its source may read. Split it.",
  },
  "idempotency-key-reused": {
    status: 422,
    title: "Idempotency key reused",
    meaning: "Something else was sent under this Idempotency-Key before. Choose a new key for each thing to be done.",
  },
  "too-many-streams": {
    status: 429,
    title: "Too many streams",
    meaning: "As many streams are open in the process as may be. Close one, or ask again after Retry-After seconds.",
  },
  "headers-too-large": {
    status: 431,
    title: "Request header fields too large",
    meaning: "The headers are larger than 16 KiB. Send fewer or shorter ones.",
  },
  "internal-error": {
    status: 500,
    title: "Internal error",
    meaning: "A fault in Tidegate. The log has its cause under the same request id.",
  },
  "not-implemented": {
    status: 501,
    title: "Not implemented",
    meaning: "No route has this method. Use one that the Allow header lists.",
  },
  "unsupported-transfer-coding": {
    status: 501,
    title: "Unsupported transfer coding",
    meaning: "The body has a transfer coding other than chunked. Send it chunked, or with Content-Length.",
  },
  "revision-mismatch": {
    status: 412,
    title: "Revision mismatch",
    meaning: "What was to be changed is not at the revision of If-Match any more. Read it again, and decide anew.",
  },
  overloaded: {
    status: 503,
    retryAfter: 1,
    title: "Overloaded",
    meaning:
      "The process is at a limit of `server.limits`: too many connections, or too many requests in flight. The request was not processed. Retry after Retry-After seconds. Health checks and the kill switch are never refused.",
  },
  "store-full": {
    status: 503,
    title: "Store full",
    meaning:
      "The store has no memory or disk left, so nothing can be added. Give it more. Kills and removals use a reserve, and work until that is used up.",
  },
  "store-data-invalid": {
    status: 503,
    title: "Store data invalid",
    meaning:
      "A store holds data that cannot be used, for example a string where a set belongs. Retrying does not help. The log names the key, and the detail does for operators: fix or delete it in the store.",
  },
  "store-permission-denied": {
    status: 503,
    title: "Store permission denied",
    meaning:
      "Tidegate's user in the store may not run a command that is needed. Retrying does not help. The log names the command, and the detail does for operators: grant the rights in docs/redis-permissions.md.",
  },
  "store-read-only": {
    status: 503,
    title: "Store read-only",
    meaning:
      "The store accepts no changes: it is a replica, or it stops writes because it cannot save them. Retrying does not help. Connect to the primary, or fix the server. Clients are answered meanwhile.",
  },
  "log-unavailable": {
    status: 503,
    retryAfter: 1,
    title: "Event log unavailable",
    meaning:
      "The event log cannot answer. Ask again after Retry-After seconds. Changes go on working, and are recorded meanwhile.",
  },
  "source-unavailable": {
    status: 503,
    retryAfter: 1,
    title: "Source unavailable",
    meaning:
      "A source, or the store of tokens, cannot answer, so that no right answer can be given. Ask again after Retry-After seconds; until then keep the features of the last answer.",
  },
} as const satisfies Record<TidegateError["code"], ProblemType> & Record<string, ProblemType>;

export type ProblemCode = keyof typeof problemTypes;
