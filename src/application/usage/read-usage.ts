import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import type { FeatureKey } from "../../domain/evaluation/feature.ts";
import {
  type LastUses,
  stepStart,
  type UsageCount,
  type UsagePoint,
  type UsageSpan,
  type UsageStep,
  type UsageStore,
  usageSteps,
} from "../../domain/usage/usage-store.ts";
import type { RecordUsage } from "./record-usage.ts";

/** The evaluations of a feature in each step of a span, also in steps without any. */
export type UsageSeries = { readonly on: readonly number[]; readonly off: readonly number[] };

/** The usage of one feature. */
export type FeatureUsage = UsageSeries & {
  /** The sums by variant, result and way, the largest first. */
  readonly sums: readonly UsageCount[];
  readonly lastUsed: Instant | undefined;
  readonly since: LastUses["since"];
};

/** Reads how often features were evaluated. Includes the latest counts of this process. */
export class ReadUsage {
  readonly #store: UsageStore;
  readonly #recorder: Pick<RecordUsage, "flush">;
  readonly #now: () => Instant;

  constructor(store: UsageStore, recorder: Pick<RecordUsage, "flush">, now: () => Instant) {
    this.#store = store;
    this.#recorder = recorder;
    this.#now = now;
  }

  /**
   * The whole steps of a span, `until` excluded. Default: 24 points of an hour, and the finest step whose counts are
   * kept for as long. `undefined` if the span is empty, or begins before the counts of its step.
   */
  spanOf(input: {
    readonly from?: Instant | undefined;
    readonly until?: Instant | undefined;
    readonly step?: UsageStep | undefined;
  }): UsageSpan | undefined {
    const now = this.#now();
    const { until = now + 1, from = stepStart(until - 1, "hour") - 23 * usageSteps.hour.length } = input;
    const isKept = (step: UsageStep) => from >= stepStart(now - usageSteps[step].kept, step);
    const step = input.step ?? (Object.keys(usageSteps) as UsageStep[]).find(isKept);
    if (step === undefined || !isKept(step) || from >= until) return undefined;
    return { step, from: stepStart(from, step), until: Math.min(until, now + 1) };
  }

  /** Rejects with `EventLogUnavailable`. */
  async of(feature: FeatureKey, span: UsageSpan): Promise<FeatureUsage> {
    await this.#recorder.flush();
    const [points, sums, { since, uses }] = await Promise.all([
      this.#store.points(span, [feature]),
      this.#store.sums(span, feature),
      this.#store.lastUses([feature]),
    ]);
    return {
      ...seriesOf(points, span),
      sums: sums.toSorted((one, other) => other.count - one.count),
      lastUsed: uses.get(feature),
      since,
    };
  }

  /** The series of some features, or of all that were evaluated. Rejects with `EventLogUnavailable`. */
  async list(span: UsageSpan, features?: readonly FeatureKey[]): Promise<ReadonlyMap<FeatureKey, UsageSeries>> {
    await this.#recorder.flush();
    const points = Map.groupBy(await this.#store.points(span, features), ({ feature }) => feature);
    return new Map([...points].map(([feature, own]) => [feature, seriesOf(own, span)]));
  }

  /** How often each feature was on in evaluations of the last 24 hours. Rejects with `EventLogUnavailable`. */
  async recent(): Promise<ReadonlyMap<FeatureKey, number>> {
    const span = this.spanOf({});
    const series = span ? await this.list(span) : new Map<FeatureKey, UsageSeries>();
    return new Map([...series].map(([feature, { on }]) => [feature, on.reduce((sum, count) => sum + count, 0)]));
  }

  /** The series of a feature that was not evaluated. */
  none(span: UsageSpan): UsageSeries {
    return seriesOf([], span);
  }

  /** The last uses of some features, or of all. Rejects with `EventLogUnavailable`. */
  async lastUses(features?: readonly FeatureKey[]): Promise<LastUses> {
    await this.#recorder.flush();
    return this.#store.lastUses(features);
  }
}

function seriesOf(points: readonly UsagePoint[], { step, from, until }: UsageSpan): UsageSeries {
  const { length } = usageSteps[step];
  const size = Math.ceil((until - from) / length);
  const on = new Array<number>(size).fill(0);
  const off = new Array<number>(size).fill(0);
  for (const point of points) {
    const index = (point.start - from) / length;
    on[index] = point.on;
    off[index] = point.off;
  }
  return { on, off };
}
