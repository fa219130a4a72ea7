import type { Instant } from "../evaluation/evaluation-context.ts";
import type { FeatureKey, Json } from "../evaluation/feature.ts";

/**
 * A time in the feed's time zone: the date, and the time of day if given. A date alone starts, or ends, with its day.
 */
export type ZonedInstant = { readonly at: Instant; readonly date: string; readonly time: string | null };

/** Item of a feed: something that happens between two instants. */
export type Item = {
  /** Unique within the feed. */
  readonly id: string;
  /** Unique among all feeds, and stable: a UUIDv5 (RFC 9562) of the source and the id. */
  readonly uuid: string;
  readonly title: string | null;
  readonly start: ZonedInstant;
  readonly end: ZonedInstant;
  readonly minPrice: number | null;
  readonly maxPrice: number | null;
  /** The features that it switches on, from `onFrom` until just before `onUntil`, while it is offered. */
  readonly features: readonly FeatureKey[];
  readonly onFrom: Instant;
  readonly onUntil: Instant;
  /** Other data of the item. */
  readonly metadata: Readonly<Record<string, Json>>;
  /** Whether it meets the conditions of the configuration. */
  readonly isOffered: boolean;
};

/** A stored item: its last content, and its past. */
export type KnownItem = Item & {
  /** Whether it was ever offered. Searches return only such items. */
  readonly wasOffered: boolean;
  /** The last time it was listed; `null` while the latest document lists it. */
  readonly lastListedAt: Instant | null;
};

/** The fault of one item of a document. */
export type ItemFault = {
  /** `null` if the id is invalid too. */
  readonly id: string | null;
  readonly fault: string;
};

/** State of a circuit breaker: closed (requests pass), open (none pass), half-open (one attempt). */
export type Breaker = "closed" | "open" | "half-open";

/** Validators of a document, for conditional requests. */
export type Validators = {
  /** A digest of the request: the address, and the way it was read. */
  readonly of: string;
  readonly etag: string | null;
  readonly lastModified: string | null;
};

/** State of the polling of a feed. */
export type PollState = {
  /** The times of the last attempt and of the last success. */
  readonly triedAt: Instant;
  readonly succeededAt: Instant | null;
  /** The error of the last attempt; `null` if it succeeded. */
  readonly failure: string | null;
  readonly breaker: Breaker;
  /** The time until which an open breaker sends no requests, in any process; `null` if it is not open. */
  readonly pausedUntil: Instant | null;
  /** The numbers of valid and invalid items in the last document, and the faults of the first invalid ones. */
  readonly listed: number;
  readonly invalid: number;
  readonly faults: readonly ItemFault[];
  readonly validators: Validators | null;
};
