import type { Instant } from "../evaluation/evaluation-context.ts";
import type { FeatureKey, Json } from "../evaluation/feature.ts";

/** A moment as a partner's clocks show it: the date, and the time where one is told. A date alone begins, or ends, with its day. */
export type ZonedInstant = { readonly at: Instant; readonly date: string; readonly time: string | null };

/** What a partner lists: something that takes place between two moments. */
export type Item = {
  /** Differs from that of every other item of the partner. */
  readonly id: string;
  /** Differs from that of every item of every partner, and stays: a UUIDv5 (RFC 9562) of the source and the id. */
  readonly uuid: string;
  readonly title: string | null;
  readonly start: ZonedInstant;
  readonly end: ZonedInstant;
  readonly minPrice: number | null;
  readonly maxPrice: number | null;
  /** What it switches on, from `onFrom` until just before `onUntil`, while it is offered. */
  readonly features: readonly FeatureKey[];
  readonly onFrom: Instant;
  readonly onUntil: Instant;
  /** What else is told of it. */
  readonly metadata: Readonly<Record<string, Json>>;
  /** Whether it meets the conditions of the configuration. */
  readonly isOffered: boolean;
};

/** What is known of an item: what was last told of it, and what came before. */
export type KnownItem = Item & {
  /** Whether it was offered at any time: only then it is found by who searches. */
  readonly wasOffered: boolean;
  /** When it was listed last; `null` while the document that was read last lists it. */
  readonly lastListedAt: Instant | null;
};

/** What is wrong with one item of a document. */
export type ItemFault = {
  /** `null` where it cannot be told either. */
  readonly id: string | null;
  readonly fault: string;
};

/** How a partner is kept from being asked after it failed often: not at all, wholly, or but for one try. */
export type Breaker = "closed" | "open" | "half-open";

/** What lets a partner answer that a document is still the one that was read. */
export type Validators = {
  /** A digest of where it was read, and how. */
  readonly of: string;
  readonly etag: string | null;
  readonly lastModified: string | null;
};

/** How the reading of a partner's document does. */
export type PollState = {
  /** When it was tried last, and when it last went well. */
  readonly triedAt: Instant;
  readonly succeededAt: Instant | null;
  /** Why the last try failed; `null` where it did not. */
  readonly failure: string | null;
  readonly breaker: Breaker;
  /** Until when an open breaker leaves the partner alone, whichever process asks; `null` where none is open. */
  readonly leftAloneUntil: Instant | null;
  /** How many items the last document listed that can be used, and that cannot; and what is wrong with the first of these. */
  readonly listed: number;
  readonly invalid: number;
  readonly faults: readonly ItemFault[];
  readonly validators: Validators | null;
};
