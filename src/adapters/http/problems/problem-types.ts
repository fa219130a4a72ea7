import type { TidegateError } from "../../../domain/errors.ts";
import { servedKeyRule, writableKeyRule } from "../../../domain/evaluation/feature.ts";

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
  /** The cause, and the fix for the caller. */
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
      "The request is not valid HTTP/1.1 (RFC 9112): its request line, Host or framing is invalid. Fix the client, or the proxy in front of Tidegate.",
  },
  "bad-path": {
    status: 400,
    title: "Invalid path",
    meaning:
      "The path has an empty or dotted segment, a backslash, an encoded control character or an invalid escape. Percent-encode path parameters, for example `a%2Fb` for the feature `a/b`.",
  },
  "invalid-context": {
    status: 400,
    title: "Invalid context",
    meaning:
      "A field of the request context is invalid: a location is longer than 200 characters, has more than 8 levels or control characters, or is repeated; or the coordinates are not a point. The detail names the field and the expected value.",
  },
  "foreign-targeting-key": {
    status: 403,
    title: "Foreign targeting key",
    meaning:
      "The request has a client token, and a `targetingKey` (OFREP) or `userId` (Unleash) other than the token's user. Omit it, or send a credential of scope `evaluator` to evaluate for other users.",
  },
  "configuration-rejected": {
    status: 422,
    title: "Configuration rejected",
    meaning:
      "The configuration file is invalid, or its stores and sources were not ready in time. The previous configuration stays active. `errors` lists each problem with its place in the file. Fix the file, then reload again.",
  },
  "unknown-flag": {
    status: 404,
    title: "Unknown flag",
    meaning: "No source lists this flag, and none did during the last 400 days.",
  },
  "invalid-query": {
    status: 400,
    title: "Invalid query",
    meaning:
      "A query parameter is unknown, blank, repeated or has an invalid value. The detail names the parameter and the expected value.",
  },
  "credential-in-query": {
    status: 400,
    title: "Credential in the query",
    meaning:
      "A query parameter such as `token`, `access_token`, `api_key` or `password` contains a credential. URLs are written to logs. Send `Authorization: Bearer <token>` instead, and replace the credential.",
  },
  "invalid-window": {
    status: 400,
    title: "Invalid window",
    meaning: "`starts_at` is after `ends_at`. Swap them.",
  },
  "invalid-cursor": {
    status: 400,
    title: "Invalid cursor",
    meaning:
      "The cursor belongs to another request. Send it unchanged and with the same filters, or omit it to get the first page.",
  },
  "invalid-header": {
    status: 400,
    title: "Invalid header",
    meaning: "A header has an invalid value. The detail names the header and the expected value.",
  },
  "invalid-json": {
    status: 400,
    title: "Invalid JSON",
    meaning:
      "The body is not JSON in UTF-8, repeats a member of an object, or has a member `__proto__`. Fix the code that writes the body.",
  },
  "malformed-authorization": {
    status: 401,
    title: "Malformed authorization",
    meaning:
      "The Authorization header is empty, contains several credentials, cannot be decoded, or its Bearer token is not a `b64token` (RFC 6750). Send `Bearer <token>`, or any token as the password of `Basic`; or omit the header.",
  },
  "unsupported-auth-scheme": {
    status: 401,
    title: "Unsupported authorization scheme",
    meaning: "The authorization scheme is neither Bearer nor Basic. Use one of them, or omit the header.",
  },
  "invalid-token": {
    status: 401,
    title: "Invalid token",
    meaning: "The token is unknown. Get a new token, or omit it to get the features for everyone.",
  },
  unauthenticated: {
    status: 401,
    title: "Operator credential required",
    meaning:
      "The route is for operators, and the request has no valid operator credential. Send `Bearer <credential>`, or the credential as the password of `Basic`. `TIDEGATE_ADMIN_TOKEN` sets one, and `tidegate credentials add` issues more.",
  },
  forbidden: {
    status: 403,
    title: "Forbidden",
    meaning: "The route is for operators, but the token belongs to a client. Send an operator credential.",
  },
  "insufficient-scope": {
    status: 403,
    title: "Insufficient scope",
    meaning:
      "The credential is valid, but its scope is too narrow. `recorder` posts events, `evaluator` and `frontend` evaluate, `viewer` reads, `editor` also changes features and posts events, `admin` has all rights. Use a credential of the scope in the detail.",
  },
  "cross-origin": {
    status: 403,
    title: "Cross-origin request",
    meaning:
      "A page of another origin called an operator route. Call it from a page that Tidegate serves, or from outside a browser.",
  },
  "not-found": {
    status: 404,
    title: "Not found",
    meaning: "No resource has this path. /docs lists the routes.",
  },
  "unknown-channel": {
    status: 404,
    title: "Unknown channel",
    meaning:
      "The URL of an event stream has no valid `channel`: it was changed, it expired 35 days after its month, or its store was replaced. Evaluate all flags: `eventStreams` of the response has the present URL.",
  },
  "unknown-set": {
    status: 404,
    title: "Unknown set",
    meaning: "No source reads a set with this key. Use a key that matches the key of a source in the configuration.",
  },
  "unknown-source": {
    status: 404,
    title: "Unknown source",
    meaning: "No source has this name. `GET /admin/v1/sources` lists the sources.",
  },
  "unknown-feature": {
    status: 404,
    title: "Unknown feature",
    meaning:
      "The feature is in no source and not in the catalogue, or the source has no rule for it. `GET /admin/v1/features` lists the known features.",
  },
  "unknown-item": {
    status: 404,
    title: "Unknown item",
    meaning: "No item that was ever offered has this id. Use an id from `GET /search`.",
  },
  "unknown-key": {
    status: 404,
    title: "Unknown key",
    meaning: "The store has no such key, or the key matches no prefix of `server.proxy`. The detail states which.",
  },
  "unknown-event": {
    status: 404,
    title: "Unknown event",
    meaning:
      "The event log has no event with this id: it never had one, or retention removed it. `GET /events` lists the events.",
  },
  "history-unavailable": {
    status: 404,
    title: "History unavailable",
    meaning:
      "No source has history at that time. The detail names the sources and the start of their history. Request a later time.",
  },
  "method-not-allowed": {
    status: 405,
    title: "Method not allowed",
    meaning: "The path does not support this method. The Allow header lists the supported methods.",
  },
  "not-acceptable": {
    status: 406,
    title: "Not acceptable",
    meaning:
      "The Accept header excludes the available media types. Accept one of those in the detail, usually application/json.",
  },
  "request-timeout": {
    status: 408,
    title: "Request timeout",
    meaning: "The complete request did not arrive within 15 s, or its headers within 5 s. Send it again.",
  },
  "not-changeable": {
    status: 409,
    title: "Not changeable",
    meaning:
      "The source has no sets or rules that can be changed here, or no store is configured for the change. Change what the source reads, or the configuration.",
  },
  "unsupported-value": {
    status: 409,
    title: "Unsupported value",
    meaning:
      "The key holds a type other than string or set, a value that is too large, or bytes that are not UTF-8. The detail states which. Retrying does not help. Read the key with a client of the store.",
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
    meaning: "The body is larger than the limit of the route. Split the request.",
  },
  "uri-too-long": {
    status: 414,
    title: "URI too long",
    meaning: "The request target is longer than 12,288 characters. Shorten the query.",
  },
  "unsupported-media-type": {
    status: 415,
    title: "Unsupported media type",
    meaning: "The body is not `Content-Type: application/json`, or is compressed. Send uncompressed JSON in UTF-8.",
  },
  "expectation-failed": {
    status: 417,
    title: "Expectation failed",
    meaning: "The Expect header has a value other than 100-continue. Omit it.",
  },
  "validation-failed": {
    status: 422,
    title: "Validation failed",
    meaning:
      "The body is valid JSON, but not valid for this route. `errors` lists up to 20 faults, each with its JSON pointer (RFC 6901).",
  },
  "invalid-feature-key": {
    status: 422,
    title: "Invalid feature key",
    meaning: `The feature key is invalid. A key has ${servedKeyRule}. The key of a new grant has ${writableKeyRule}. Keys that other tools granted can be killed, described and removed.`,
  },
  "change-too-large": {
    status: 422,
    title: "Change too large",
    meaning:
      "The change names too many features, or the set would exceed the member limit of its source. Split the change.",
  },
  "idempotency-key-reused": {
    status: 422,
    title: "Idempotency key reused",
    meaning: "The Idempotency-Key belongs to a different request. Use a new key for each change.",
  },
  "too-many-streams": {
    status: 429,
    title: "Too many streams",
    meaning:
      "The caller, its address or the process has reached its limit of open streams. The detail names the limit. Close a stream, or retry after Retry-After seconds.",
  },
  "headers-too-large": {
    status: 431,
    title: "Request header fields too large",
    meaning: "The headers are larger than 16 KiB. Send fewer or shorter headers.",
  },
  "internal-error": {
    status: 500,
    title: "Internal error",
    meaning: "Tidegate failed. The log contains the cause with the same request id.",
  },
  "not-implemented": {
    status: 501,
    title: "Not implemented",
    meaning: "No route supports this method. Use a method from the Allow header.",
  },
  "unsupported-transfer-coding": {
    status: 501,
    title: "Unsupported transfer coding",
    meaning: "The body has a transfer coding other than chunked. Use chunked, or send Content-Length.",
  },
  "not-revertible": {
    status: 409,
    title: "Not revertible",
    meaning:
      "The event is not a change, or the value before it is not known, or what it changed cannot be restored, such as a token. The detail states which.",
  },
  "changed-since": {
    status: 409,
    title: "Changed since",
    meaning:
      "A later change of the same feature in the same set, or of the same rule or description, conflicts with the revert. `later` names its event. Revert that one first.",
  },
  "revision-mismatch": {
    status: 412,
    title: "Revision mismatch",
    meaning: "The revision in If-Match is outdated. Read the resource again, then retry.",
  },
  overloaded: {
    status: 503,
    retryAfter: 1,
    title: "Overloaded",
    meaning:
      "The process is at a limit: too many connections or requests in flight (`server.limits`), or too many open streams (`server.streams`). The request was not processed. Retry after Retry-After seconds. Health checks and the kill switch are always processed.",
  },
  "store-full": {
    status: 503,
    title: "Store full",
    meaning:
      "The store has no memory or disk left, so nothing can be added. Enlarge it. Kills and removals use a reserve and work until it is used up.",
  },
  "store-data-invalid": {
    status: 503,
    title: "Store data invalid",
    meaning:
      "A store contains invalid data, for example a string instead of a set. Retrying does not help. The log names the key, and so does the detail for operators. Fix or delete the key in the store.",
  },
  "store-permission-denied": {
    status: 503,
    title: "Store permission denied",
    meaning:
      "Tidegate's user in the store lacks the permission for a command. Retrying does not help. The log names the command, and so does the detail for operators. Grant the rights in docs/reference/redis-permissions.md.",
  },
  "store-read-only": {
    status: 503,
    title: "Store read-only",
    meaning:
      "The store rejects writes: it is a replica, or it cannot save its data. Retrying does not help. Connect to the primary, or fix the server. Clients are still served.",
  },
  "log-unavailable": {
    status: 503,
    retryAfter: 1,
    title: "Event log unavailable",
    meaning:
      "The event log is unavailable. Retry after Retry-After seconds. Changes still apply and reach the log later.",
  },
  "source-unavailable": {
    status: 503,
    retryAfter: 1,
    title: "Source unavailable",
    meaning:
      "A source or the token store is unavailable, so the features cannot be evaluated. Retry after Retry-After seconds. Until then, keep the features of the last response.",
  },
} as const satisfies Record<TidegateError["code"], ProblemType> & Record<string, ProblemType>;

export type ProblemCode = keyof typeof problemTypes;
