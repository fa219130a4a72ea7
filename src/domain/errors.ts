import type { Instant } from "./evaluation/evaluation-context.ts";

/** Base of every failure that a caller of a use case is told about. `code` is stable, across versions too. */
export abstract class TidegateError extends Error {
  abstract readonly code:
    | "invalid-token"
    | "invalid-context"
    | "unknown-set"
    | "unknown-source"
    | "unknown-feature"
    | "unknown-item"
    | "unknown-key"
    | RefusalCode
    | "source-unavailable"
    | StoreFaultCode
    | "not-known"
    | "revision-mismatch"
    | "store-full"
    | "idempotency-key-reused"
    | "log-unavailable";
}

/** Nobody is known by the token that was presented. */
export class TokenRejected extends TidegateError {
  override readonly name = "TokenRejected";
  readonly code = "invalid-token";

  constructor() {
    super("Nobody is known by this token; get a new one, or send none to get what everyone gets.");
  }
}

/** A field of the evaluation context has a value that cannot be the name of anything. */
export class InvalidContext extends TidegateError {
  override readonly name = "InvalidContext";
  readonly code = "invalid-context";
}

/** No source reads a set of the key that was named. */
export class UnknownSet extends TidegateError {
  override readonly name = "UnknownSet";
  readonly code = "unknown-set";
}

/** There is no source of the name that was given. */
export class UnknownSource extends TidegateError {
  override readonly name = "UnknownSource";
  readonly code = "unknown-source";
}

/** No source knows the feature, nor does the catalogue; or the source that was named keeps nothing of it. */
export class UnknownFeature extends TidegateError {
  override readonly name = "UnknownFeature";
  readonly code = "unknown-feature";

  constructor(
    message = "No source knows this feature, nor does the catalogue; GET /admin/v1/features lists those that are known.",
  ) {
    super(message);
  }
}

/** No item of a feed has the id that was given, or none that was ever offered. */
export class UnknownItem extends TidegateError {
  override readonly name = "UnknownItem";
  readonly code = "unknown-item";

  constructor() {
    super("No item of this id was ever offered. Send an id from GET /search.");
  }
}

/** The key is not one of those that operators may read. */
export class UnknownKey extends TidegateError {
  override readonly name = "UnknownKey";
  readonly code = "unknown-key";

  constructor() {
    super("No prefix of server.proxy fits this key. Add one to the configuration, or use another key.");
  }
}

/** A source, or the store of tokens, returns no result. `code` says whether a retry can help. */
export class SourceUnavailable extends TidegateError {
  override readonly name = "SourceUnavailable";
  readonly code: "source-unavailable" | StoreFaultCode;
  /** The configured name of the source; `tokens` for the store of tokens. */
  readonly source: string;

  constructor(source: string, cause: unknown, message?: string) {
    const code = cause instanceof StoreFault ? cause.code : "source-unavailable";
    super(message ?? `"${source}" ${unavailable[code]}`, { cause });
    this.code = code;
    this.source = source;
  }
}

/** Something whose past is asked about, and from when on that is known, where it ever is. */
export type MissingHistory = { readonly name: string; readonly from?: Instant };

/** Nobody recorded what something was at the moment asked about. It is never guessed; asking again gives the same. */
export class HistoryUnavailable extends TidegateError {
  override readonly name = "NotKnown";
  readonly code = "not-known";
  readonly parts: readonly MissingHistory[];

  constructor(parts: readonly MissingHistory[]) {
    const told = parts.map(({ name, from }) =>
      from === undefined
        ? `"${name}" is on no record`
        : `"${name}" is on record from ${new Date(from).toISOString()} on`,
    );
    const wayOut = parts.some(({ from }) => from === undefined) ? "the present" : "a later one";
    super(`What was so at that moment is not known: ${told.join(", ")}; ask about ${wayOut}.`);
    this.parts = parts;
  }
}

/** What was to be changed is not at the revision any more that the change was made for. */
export class RevisionMismatch extends TidegateError {
  override readonly name = "RevisionMismatch";
  readonly code = "revision-mismatch";

  constructor() {
    super("Somebody has changed it since you read it; read it again, and decide anew.");
  }
}

/** A store has no memory or disk left for a change. Kills and removals use a reserve, and work until that is used up. */
export class StoreFull extends TidegateError {
  override readonly name = "StoreFull";
  readonly code = "store-full";

  constructor(
    message = "The store is full, so nothing can be added; give it more memory. Kill switches and removals work.",
  ) {
    super(message);
  }
}

/** The activity log cannot be asked at the moment. Changes are kept where they were made until it can. */
export class EventLogUnavailable extends TidegateError {
  override readonly name = "LogUnavailable";
  readonly code = "log-unavailable";

  constructor(cause: unknown) {
    super("The activity log cannot answer at the moment; ask again in some seconds. Changes are recorded meanwhile.", {
      cause,
    });
  }
}

/** A name for doing something only once was given to something else before. */
export class IdempotencyKeyReused extends TidegateError {
  override readonly name = "IdempotencyKeyReused";
  readonly code = "idempotency-key-reused";

  constructor() {
    super("Something else was sent under this Idempotency-Key before; choose a new one for each thing to be done.");
  }
}

/** Why something cannot be changed as somebody asked. */
type RefusalCode = "validation-failed" | "invalid-feature-key" | "too-many" | "not-changeable" | "no-kill-switch";

/** What somebody asked to be changed cannot be; the message says what is wrong and what to do. */
export class ChangeRejected extends TidegateError {
  override readonly name = "ChangeRefused";
  readonly code: RefusalCode;
  /** Of a value that was given, all that is wrong with it, by JSON pointers (RFC 6901). */
  readonly faults: readonly { readonly pointer: string; readonly detail: string }[] | undefined;

  constructor(message: string, code: RefusalCode = "validation-failed", faults?: ChangeRejected["faults"]) {
    super(message);
    this.code = code;
    this.faults = faults;
  }
}

/** A text that no source can serve as a feature. */
export const notServed = (key: string): ChangeRejected =>
  new ChangeRejected(
    `Invalid feature key ${shortened(key)} (expected 1 to 1024 characters, none of them a control character).`,
    "invalid-feature-key",
  );

/** A served key that is not writable, as the key of a new grant. */
export const notGrantable = (key: string): ChangeRejected =>
  new ChangeRejected(
    `Invalid key for a new grant: ${shortened(key)} (expected 1 to 200 of A-Z a-z 0-9 . _ : / -, a letter or digit first).`,
    "invalid-feature-key",
  );

const shortened = (key: string): string => JSON.stringify(key.slice(0, 200));

/** A set cannot grow as somebody asked. */
export const tooManyMembers = (key: string, limit: number): ChangeRejected =>
  new ChangeRejected(`${key} would have more than ${limit} members; raise maxMembers, or split the set.`, "too-many");

/** What is wrong with a store until an operator fixes it. */
type StoreFaultCode = "store-data-invalid" | "store-permission-denied" | "store-read-only";

/** What callers are told of a source; the cause, which names keys, is for operators and the log. */
const unavailable: Readonly<Record<"source-unavailable" | StoreFaultCode, string>> = {
  "source-unavailable": "cannot answer at the moment; ask again in a second.",
  "store-data-invalid":
    "holds invalid data. Retrying does not help: an operator must fix the data, which the log names.",
  "store-permission-denied":
    "may not be read. Retrying does not help: an operator must grant the rights, which the log names.",
  "store-read-only": "accepts no changes. Retrying does not help: an operator must fix the store.",
};

/**
 * A store rejected something, and will until an operator fixes it. The message names the fault and the fix.
 * A caller sees it as {@link SourceUnavailable}, with the same code.
 */
export abstract class StoreFault extends Error {
  abstract readonly code: StoreFaultCode;
}

/** A store holds data of another type or size than was expected: a string for a set, too many members, an empty user id. */
export class StoreDataInvalid extends StoreFault {
  override readonly name = "StoreDataInvalid";
  readonly code = "store-data-invalid";
}

/** The user with which Tidegate connects to a store may not run a command. */
export class StorePermissionDenied extends StoreFault {
  override readonly name = "StorePermissionDenied";
  readonly code = "store-permission-denied";
}

/** A store accepts no writes. */
export class StoreReadOnly extends StoreFault {
  override readonly name = "StoreReadOnly";
  readonly code = "store-read-only";
}
