import type { Instant } from "../evaluation/evaluation-context.ts";
import type { FeatureKey } from "../evaluation/feature.ts";

/**
 * How a feature was evaluated: in a `response` with all features of a caller, as a single `flag` that a server
 * requested by its key, or by an SDK, which sent a `report`.
 */
export type UsageVia = "response" | "flag" | "report";

/** A number of evaluations of one feature with one result. */
export type UsageCount = {
  readonly feature: FeatureKey;
  /** Absent if the feature was evaluated without variants. At most {@link maxVariantLength} characters. */
  readonly variant?: string;
  readonly on: boolean;
  readonly via: UsageVia;
  readonly count: number;
};

/** Longer names of variants are counted under their first 100 characters. */
export const maxVariantLength = 100;

const minute = 60_000;

/** The steps in which counts are stored: their length, and how long the counts are kept, in milliseconds. */
export const usageSteps = {
  minute: { length: minute, kept: 120 * minute },
  hour: { length: 60 * minute, kept: 8 * 1_440 * minute },
  day: { length: 1_440 * minute, kept: 400 * 1_440 * minute },
} as const;

/** How long uses are known, in days. */
export const usageDays = usageSteps.day.kept / usageSteps.day.length;

export type UsageStep = keyof typeof usageSteps;

/** The begin of the step that an instant is in. Days begin at 00:00 UTC. */
export const stepStart = (at: Instant, step: UsageStep): Instant => at - (at % usageSteps[step].length);

/** The counts of a step that begin within a span. */
export type UsageSpan = { readonly step: UsageStep; readonly from: Instant; readonly until: Instant };

/** The evaluations of a feature in one step. */
export type UsagePoint = {
  readonly feature: FeatureKey;
  readonly start: Instant;
  readonly on: number;
  readonly off: number;
};

/** The last uses of features. A feature that is absent was not used since the begin of counting. */
export type LastUses = {
  /** The begin of counting; `undefined` if nothing was counted yet. At most 400 days ago. */
  readonly since: Instant | undefined;
  /** The minute of the last use, by feature. */
  readonly uses: ReadonlyMap<FeatureKey, Instant>;
};

/**
 * Usage store: counts of evaluations by minute, hour and day. An evaluation *uses* the features that are on
 * in it. An evaluation of a single flag or by an SDK also uses a feature that is off, because it requests it by its
 * key.
 */
export interface UsageStore {
  /** Adds counts of a minute to its minute, hour and day. Not idempotent. Each feature, variant and result once. */
  add(minute: Instant, counts: readonly UsageCount[]): Promise<void>;
  /**
   * The points of some features, or of all, by begin and then by feature. Points without evaluations are omitted.
   */
  points(span: UsageSpan, features?: readonly FeatureKey[]): Promise<readonly UsagePoint[]>;
  /** The sums of one feature by variant, result and way, in no particular order. */
  sums(span: UsageSpan, feature: FeatureKey): Promise<readonly UsageCount[]>;
  /** Of some features, or of all. */
  lastUses(features?: readonly FeatureKey[]): Promise<LastUses>;
  /** Removes the counts of each step that are older than its limit, and the last uses of features after 400 days. */
  expire(now: Instant): Promise<void>;
}
