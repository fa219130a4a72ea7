import type { ChangeRecord } from "../admin/change.ts";
import type { Instant } from "../evaluation/evaluation-context.ts";
import type { Json } from "../evaluation/feature.ts";

/** The components that only Tidegate itself writes events of: changes to features, and everything else that it records. */
export const featuresComponent = "features";
export const tidegateComponent = "tidegate";

const reservedComponents: readonly string[] = [featuresComponent, tidegateComponent];

/** Whether a component reads like a reserved one: without regard to outer white space, case, width and invisible characters. */
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

/** What somebody tells the log. */
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
  /** The name of the credential that it was told with. */
  readonly recordedBy: string;
};

/** An event as it stands in the log. */
export type Event = NewEvent & {
  /** Counts the events of the log, in its order. */
  readonly position: number;
  /**
   * What it says of a change that Tidegate made or found; `store` is the identity of the store. In events of version 0.1,
   * and of stores that have none, it is the name of the connection.
   */
  readonly change?: { readonly store: string; readonly record: ChangeRecord };
  /** SHA-256, as hexadecimal digits, over the hash of the event before it and this event. */
  readonly hash: string;
};

/** Which events; all that is given must hold. */
export type EventFilter = {
  readonly component?: string;
  readonly environment?: string;
  readonly email?: string;
  readonly recordedBy?: string;
  /** Stands somewhere in the message, in whatever case. */
  readonly message?: string;
  /** The feature that a change was of. */
  readonly feature?: string;
  /** What a change was of: the key of a set, `collection/name` of a document, `tokens/id` of a token. */
  readonly key?: string;
  /** `from <= at < to`. */
  readonly from?: Instant;
  readonly to?: Instant;
};

/** Where the chain of hashes ends. `position` 0 and the hash of nothing where the log is empty. */
export type LogHead = { readonly position: number; readonly hash: string };

/** A head of the log that was kept elsewhere, or its hash alone. */
export type KeptHead = { readonly hash: string; readonly position?: number };

/**
 * What proving the log came to: that it is as it was written, from behind `start` to `head`; or the first position
 * that is not, and what is wrong with it.
 */
export type Proof =
  | { readonly isSound: true; readonly start: LogHead; readonly head: LogHead }
  | { readonly isSound: false; readonly position: number; readonly fault: string };
