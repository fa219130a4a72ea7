import { type Instant, instantText } from "./evaluation/evaluation-context.ts";
import { servedKeyRule, writableKeyRule } from "./evaluation/feature.ts";
import type { Event } from "./events/event.ts";

/** Base of all errors that a use case reports to its caller. `code` is stable across versions. */
export abstract class TidegateError extends Error {
  override readonly name = this.constructor.name;
  abstract readonly code: ErrorCode;
}

type ErrorCode =
  | "invalid-token"
  | "invalid-context"
  | "foreign-targeting-key"
  | "unknown-set"
  | "unknown-source"
  | "unknown-feature"
  | "unknown-item"
  | "unknown-key"
  | "unknown-event"
  | "not-revertible"
  | "changed-since"
  | RejectionCode
  | "source-unavailable"
  | StoreFaultCode
  | "history-unavailable"
  | "revision-mismatch"
  | "store-full"
  | "idempotency-key-reused"
  | "log-unavailable";

/** An error with a code, and with the message that it has unless another is given. */
const failure = <Code extends ErrorCode>(code: Code, message = "") =>
  class extends TidegateError {
    readonly code = code;

    constructor(text = message) {
      super(text);
    }
  };

/** The token is unknown. */
export class TokenRejected extends failure(
  "invalid-token",
  "Unknown token. Get a new token, or send none to get the features for everyone.",
) {}

/** A field of the evaluation context has an invalid value. */
export class InvalidContext extends failure("invalid-context") {}

/** A client claims the targeting key of another user than its own. */
export class ForeignTargetingKey extends failure(
  "foreign-targeting-key",
  "The targeting key is not the user of the token. Omit it, or send that user's id.",
) {}

/** No source reads a set with this key. */
export class UnknownSet extends failure("unknown-set") {}

/** No source has this name. */
export class UnknownSource extends failure("unknown-source") {}

/** The feature is unknown to all sources and to the catalogue, or the named source has no rule for it. */
export class UnknownFeature extends failure(
  "unknown-feature",
  "Unknown feature: it is in no source and not in the catalogue. GET /admin/v1/features lists the known features.",
) {}

/** No item that was ever offered has this id. */
export class UnknownItem extends failure(
  "unknown-item",
  "Unknown item: no item that was ever offered has this id. Use an id from GET /search.",
) {}

/** The event log has no event with this id. */
export class UnknownEvent extends failure(
  "unknown-event",
  "Unknown event: the log has no event with this id. GET /events lists the events.",
) {}

/** The change of an event cannot be reverted. The message states why. */
export class NotRevertible extends failure("not-revertible") {}

/** A later change conflicts with a revert. `later` is its event, if it is recorded. */
export class ChangedSince extends TidegateError {
  readonly code = "changed-since";
  readonly later: Event | undefined;

  constructor(later: Event | undefined) {
    super(
      later
        ? `Changed again by ${later.recordedBy} at ${instantText(later.at)} (event ${later.id}). Revert that change first.`
        : "Changed again meanwhile. Read the events, then revert the last change first.",
    );
    this.later = later;
  }
}

/** Operators may not read this key. */
export class UnknownKey extends failure(
  "unknown-key",
  "The key matches no prefix of server.proxy. Add one to the configuration, or use another key.",
) {}

/** A source, or the store of tokens, returns no result. `code` states whether a retry can help. */
export class SourceUnavailable extends TidegateError {
  readonly code: "source-unavailable" | StoreFaultCode;
  /** The configured name of the source; `tokens` for the store of tokens. */
  readonly source: string;

  constructor(source: string, cause: unknown, message?: string) {
    const code = cause instanceof StoreFault ? cause.code : "source-unavailable";
    super(message ?? `Source "${source}" ${unavailable[code]}`, { cause });
    this.code = code;
    this.source = source;
  }
}

/** Something without history at the requested time, and the time from which its history is known, if any. */
export type MissingHistory = { readonly name: string; readonly from?: Instant };

/** The history does not reach back to the requested time. The result is never guessed, and a retry fails too. */
export class HistoryUnavailable extends TidegateError {
  readonly code = "history-unavailable";
  readonly parts: readonly MissingHistory[];

  constructor(parts: readonly MissingHistory[]) {
    const starts = parts.map(({ name, from }) =>
      from === undefined ? `"${name}" has none` : `"${name}" starts at ${instantText(from)}`,
    );
    const fix = parts.some(({ from }) => from === undefined) ? "Request the present" : "Request a later time";
    super(`No history at that time: ${starts.join(", ")}. ${fix}.`);
    this.parts = parts;
  }
}

/** The revision of the precondition is not the present one. */
export class RevisionMismatch extends failure(
  "revision-mismatch",
  "The revision in If-Match is outdated. Read the resource again, then retry.",
) {}

/**
 * A store has no memory or disk left for a change. Kills and removals use a reserve, and work until that is used up.
 */
export class StoreFull extends failure(
  "store-full",
  "The store is full, so nothing can be added. Enlarge it. Kills and removals still work.",
) {}

/** The event log does not respond. Change records stay in the outboxes until it does. */
export class EventLogUnavailable extends TidegateError {
  readonly code = "log-unavailable";

  constructor(cause: unknown) {
    super("The event log is unavailable. Retry in a few seconds. Changes still apply and reach the log later.", {
      cause,
    });
  }
}

/** The idempotency key was used for another request. */
export class IdempotencyKeyReused extends failure(
  "idempotency-key-reused",
  "This Idempotency-Key belongs to a different request. Use a new key.",
) {}

/** Why a change is rejected. */
type RejectionCode =
  | "validation-failed"
  | "invalid-feature-key"
  | "change-too-large"
  | "not-changeable"
  | "no-kill-switch";

/** A fault of a value: its JSON pointer (RFC 6901), and the fault with its fix. */
export type ValueFault = { readonly pointer: string; readonly detail: string };

/** The change is invalid. The message states the fault and the fix. */
export class ChangeRejected extends TidegateError {
  readonly code: RejectionCode;
  /** All faults of a given value, by JSON pointer (RFC 6901). */
  readonly faults: readonly ValueFault[] | undefined;

  constructor(message: string, code: RejectionCode = "validation-failed", faults?: ChangeRejected["faults"]) {
    super(message);
    this.code = code;
    this.faults = faults;
  }
}

/** The error for a key that cannot be served. */
export const notServed = (key: string): ChangeRejected =>
  new ChangeRejected(`Invalid feature key ${shortened(key)} (expected ${servedKeyRule}).`, "invalid-feature-key");

/** The error for a new grant of a key that is served but not writable. */
export const notGrantable = (key: string): ChangeRejected =>
  new ChangeRejected(
    `Invalid key for a new grant: ${shortened(key)} (expected ${writableKeyRule}).`,
    "invalid-feature-key",
  );

const shortened = (key: string): string => JSON.stringify(key.slice(0, 200));

/** The error for a change of tokens without a store of tokens. */
export const noTokens = (): ChangeRejected =>
  new ChangeRejected("The configuration has no tokens. Add the section `tokens`.", "not-changeable");

/** The error for a set that would exceed its limit. */
export const tooManyMembers = (key: string, limit: number): ChangeRejected =>
  new ChangeRejected(
    `The set ${key} would have more than ${limit} members. Raise maxMembers, or split the set.`,
    "change-too-large",
  );

/** A fault of a store that an operator must fix. */
type StoreFaultCode = "store-data-invalid" | "store-permission-denied" | "store-read-only";

/** The messages for callers. The cause, which names keys, is for operators and the log. */
const unavailable: Readonly<Record<"source-unavailable" | StoreFaultCode, string>> = {
  "source-unavailable": "is unavailable. Retry after 1 s.",
  "store-data-invalid": "holds invalid data. Retrying does not help: an operator must fix the data that the log names.",
  "store-permission-denied":
    "may not be read. Retrying does not help: an operator must grant the rights that the log names.",
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
