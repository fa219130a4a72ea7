import type { ChangeOrigin, ChangeRecord } from "../admin/change.ts";
import type { Instant } from "../evaluation/evaluation-context.ts";
import type { Json } from "../evaluation/feature.ts";

/**
 * Reserved components: only Tidegate writes their events. `features` holds changes of features, `tidegate` all other
 * records.
 */
export const featuresComponent = "features";
export const tidegateComponent = "tidegate";

const reservedComponents: readonly string[] = [featuresComponent, tidegateComponent];

/**
 * Whether a component looks like a reserved one, regardless of outer white space, case, width and invisible characters.
 */
export const isReservedComponent = (component: string): boolean =>
  reservedComponents.includes(
    component
      .normalize("NFKC")
      .replaceAll(/\p{Default_Ignorable_Code_Point}/gu, "")
      .trim()
      // Upper case first folds letters such as the dotless i.
      .toUpperCase()
      .toLowerCase(),
  );

/** An event to append. */
export type NewEvent = {
  /** A UUIDv7 (RFC 9562). */
  readonly id: string;
  readonly component: string;
  readonly environment: string;
  /** The author's claim; empty if there is none. */
  readonly email: string;
  readonly message: string;
  readonly data: Json;
  readonly at: Instant;
  /** The name of the credential that reported it. */
  readonly recordedBy: string;
};

/** An event of the log. */
export type Event = NewEvent & {
  /** The number of the event in the order of the log. */
  readonly position: number;
  /**
   * The change that Tidegate made or detected. `store` is the identity of the store. In events of version 0.1, and of
   * stores without an identity, it is the name of the connection.
   */
  readonly change?: { readonly store: string; readonly record: ChangeRecord };
  /** SHA-256, as hexadecimal digits, of the hash of the event before and this event. */
  readonly hash: string;
};

/** Filter for events. All given conditions must hold. */
export type EventFilter = {
  readonly component?: string;
  readonly environment?: string;
  readonly email?: string;
  readonly recordedBy?: string;
  /** A substring of the message, regardless of case. */
  readonly message?: string;
  /** The feature that was changed. */
  readonly feature?: string;
  /** The changed key: the key of a set, `collection/name` of a document, `tokens/id` of a token. */
  readonly key?: string;
  /** `from <= at < to`. */
  readonly from?: Instant;
  readonly to?: Instant;
  readonly type?: ChangeType;
  readonly origin?: ChangeOrigin;
  readonly via?: ChangeTool;
  readonly affecting?: AffectingFilter;
};

/** The subject of a change. A document is a rule or a description, or belongs to Tidegate itself. */
export const changeTypes = ["set", "document", "token", "credential"] as const;
export type ChangeType = (typeof changeTypes)[number];

/** What a change was made with: the backoffice page, the command line, or the API by another client. */
export const changeTools = ["page", "cli", "api"] as const;
export type ChangeTool = (typeof changeTools)[number];

/** The changes that can affect the features of a user. */
export type AffectingFilter = {
  readonly userId: string;
  /** The keys of the sets. */
  readonly keys: readonly string[];
  /** The collections of the rules. */
  readonly collections: readonly string[];
};

/** The end of the hash chain. `position` 0 and the hash of nothing if the log is empty. */
export type LogHead = { readonly position: number; readonly hash: string };

/** A head of the log that was stored elsewhere, or its hash alone. */
export type TrustedHead = { readonly hash: string; readonly position?: number };

/** The part of the log behind a head that was verified before, or from its start, of at most `limit` events. */
export type LogPart = { readonly after?: LogHead | undefined; readonly limit: number };

/**
 * Result of a verification: the log is unchanged from behind `start` up to `head`, or the first position with a fault.
 * `last` is the position of the last event, which is behind `head` if only a part was verified.
 */
export type Proof =
  | { readonly isSound: true; readonly start: LogHead; readonly head: LogHead; readonly last: number }
  | { readonly isSound: false; readonly position: number; readonly fault: string };
