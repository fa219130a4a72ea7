import type { Instant } from "./evaluation/evaluation-context.ts";

/** Base of all errors that a use case reports to its caller. `code` is stable across versions. */
export abstract class TidegateError extends Error {
  override readonly name = this.constructor.name;
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
    | "history-unavailable"
    | "revision-mismatch"
    | "store-full"
    | "idempotency-key-reused"
    | "log-unavailable";
}

/** The token is unknown. */
export class TokenRejected extends TidegateError {
  readonly code = "invalid-token";

  constructor() {
    super("Nobody is known by this token; get a new one, or send none to get what everyone gets.");
  }
}

/** A field of the evaluation context has an invalid value. */
export class InvalidContext extends TidegateError {
  readonly code = "invalid-context";
}

/** No source reads a set with this key. */
export class UnknownSet extends TidegateError {
  readonly code = "unknown-set";
}

/** No source has this name. */
export class UnknownSource extends TidegateError {
  readonly code = "unknown-source";
}

/** The feature is unknown to all sources and to the catalogue, or the named source has no rule for it. */
export class UnknownFeature extends TidegateError {
  readonly code = "unknown-feature";

  constructor(
    message = "No source knows this feature, nor does the catalogue; GET /admin/v1/features lists those that are known.",
  ) {
    super(message);
  }
}

/** No item that was ever offered has this id. */
export class UnknownItem extends TidegateError {
  readonly code = "unknown-item";

  constructor() {
    super("No item of this id was ever offered. Send an id from GET /search.");
  }
}

/** Operators may not read this key. */
export class UnknownKey extends TidegateError {
  readonly code = "unknown-key";

  constructor() {
    super("No prefix of server.proxy fits this key. Add one to the configuration, or use another key.");
  }
}

/** A source, or the store of tokens, returns no result. `code` says whether a retry can help. */
export class SourceUnavailable extends TidegateError {
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

/** Something without history at the requested moment, and the time from which its history is known, if any. */
export type MissingHistory = { readonly name: string; readonly from?: Instant };

/** The history does not reach back to the requested moment. It is never guessed; a retry gives the same. */
export class HistoryUnavailable extends TidegateError {
  readonly code = "history-unavailable";
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

/** The revision of the precondition is not the present one. */
export class RevisionMismatch extends TidegateError {
  readonly code = "revision-mismatch";

  constructor() {
    super("Somebody has changed it since you read it; read it again, and decide anew.");
  }
}

/** A store has no memory or disk left for a change. Kills and removals use a reserve, and work until that is used up. */
export class StoreFull extends TidegateError {
  readonly code = "store-full";

  constructor(
    message = "The store is full, so nothing can be added; give it more memory. Kill switches and removals work.",
  ) {
    super(message);
  }
}

/** The event log does not answer. Change records stay in the outboxes until it does. */
export class EventLogUnavailable extends TidegateError {
  readonly code = "log-unavailable";

  constructor(cause: unknown) {
    super("The event log cannot answer at the moment; ask again in some seconds. Changes are recorded meanwhile.", {
      cause,
    });
  }
}

/** The idempotency key was used for another request. */
export class IdempotencyKeyReused extends TidegateError {
  readonly code = "idempotency-key-reused";

  constructor() {
    super("Something else was sent under this Idempotency-Key before; choose a new one for each thing to be done.");
  }
}

/** Why a change is rejected. */
type RefusalCode =
  | "validation-failed"
  | "invalid-feature-key"
  | "change-too-large"
  | "not-changeable"
  | "no-kill-switch";

/** The change is invalid. The message states the fault and the fix. */
export class ChangeRejected extends TidegateError {
  readonly code: RefusalCode;
  /** All faults of a given value, by JSON pointer (RFC 6901). */
  readonly faults: readonly { readonly pointer: string; readonly detail: string }[] | undefined;

  constructor(message: string, code: RefusalCode = "validation-failed", faults?: ChangeRejected["faults"]) {
    super(message);
    this.code = code;
    this.faults = faults;
  }
}

/** The error for a key that cannot be served. */
export const notServed = (key: string): ChangeRejected =>
  new ChangeRejected(
    `Invalid feature key ${shortened(key)} (expected 1 to 1024 characters, none of them a control character).`,
    "invalid-feature-key",
  );

/** The error for a new grant of a key that is served but not writable. */
export const notGrantable = (key: string): ChangeRejected =>
  new ChangeRejected(
    `Invalid key for a new grant: ${shortened(key)} (expected 1 to 200 of A-Z a-z 0-9 . _ : / -, a letter or digit first).`,
    "invalid-feature-key",
  );

const shortened = (key: string): string => JSON.stringify(key.slice(0, 200));

/** The error for a set that would exceed its limit. */
export const tooManyMembers = (key: string, limit: number): ChangeRejected =>
  new ChangeRejected(
    `${key} would have more than ${limit} members; raise maxMembers, or split the set.`,
    "change-too-large",
  );

/** A fault of a store that an operator must fix. */
type StoreFaultCode = "store-data-invalid" | "store-permission-denied" | "store-read-only";

/** The messages for callers. The cause, which names keys, is for operators and the log. */
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
  override readonly name = this.constructor.name;
  abstract readonly code: StoreFaultCode;
}

/** A store holds data of an unexpected type or size: a string instead of a set, too many members, an empty user id. */
export class StoreDataInvalid extends StoreFault {
  readonly code = "store-data-invalid";
}

/** The store user of Tidegate lacks the permission for a command. */
export class StorePermissionDenied extends StoreFault {
  readonly code = "store-permission-denied";
}

/** A store accepts no writes. */
export class StoreReadOnly extends StoreFault {
  readonly code = "store-read-only";
}
