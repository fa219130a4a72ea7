import type { FeatureKey } from "../../domain/evaluation/feature.ts";
import { maxVariantLength, type UsageCount, type UsageVia } from "../../domain/usage/usage-store.ts";

/** The counts of one feature with one result. */
export type Series = {
  readonly feature: FeatureKey;
  readonly variant: string | undefined;
  readonly on: boolean;
  readonly via: UsageVia;
  count: number;
  /** The part of `count` from responses that omit features which are off. */
  listed: number;
};

/** Maximum number of series that are counted at the same time. */
const maxSeries = 20_000;

/** Adds up counts by feature and result. Bounded: drops counts of more series than that. */
export class SeriesCounts {
  /** An index of the series that may be counted again. */
  readonly #series = new Map<string, Series>();
  /**
   * Those of features that responses state as on, without a variant: a miss finds all of its own without a key text.
   */
  readonly #plain = new Map<FeatureKey, Series>();
  #counted: Series[] = [];
  /** Number of evaluations that were not counted, because there were too many series. */
  dropped = 0;

  get isEmpty(): boolean {
    return this.#counted.length === 0;
  }

  /** Returns the series of a feature and a result. */
  of(feature: FeatureKey, variant: string | undefined, on: boolean, via: UsageVia): Series {
    const isPlain = variant === undefined && on && via === "response";
    const plain = isPlain ? this.#plain.get(feature) : undefined;
    if (plain) return plain;
    const name = variant ? storable(variant) : undefined;
    const key = keyOf(feature, name, on, via);
    const found = this.#series.get(key);
    if (found) return found;
    if (this.#series.size >= maxSeries) {
      this.#series.clear();
      this.#plain.clear();
    }
    const series: Series = { feature, variant: name, on, via, count: 0, listed: 0 };
    this.#series.set(key, series);
    if (isPlain) this.#plain.set(feature, series);
    return series;
  }

  /** Adds to a series. `isListing`: the count is of responses that omit features which are off. */
  add(series: Series, count: number, isListing = false): void {
    if (count <= 0) return;
    if (series.count === 0) {
      if (this.#counted.length >= maxSeries) {
        this.dropped += count;
        return;
      }
      this.#counted.push(series);
    }
    series.count += count;
    if (isListing) series.listed += count;
  }

  /** The number of responses that omit features which are off and state each feature. */
  listed(): ReadonlyMap<FeatureKey, number> {
    const listed = new Map<FeatureKey, number>();
    for (const { feature, listed: count } of this.#counted) {
      if (count > 0) listed.set(feature, (listed.get(feature) ?? 0) + count);
    }
    return listed;
  }

  /** Returns the counts since the last call, and starts all series anew. */
  take(): readonly UsageCount[] {
    // The index may have lost a series and made another one since.
    const merged = new Map<string, UsageCount>();
    for (const series of this.#counted) {
      const { feature, variant, on, via, count: own } = series;
      const key = keyOf(feature, variant, on, via);
      const count = own + (merged.get(key)?.count ?? 0);
      merged.set(key, { feature, ...(variant !== undefined && { variant }), on, via, count });
      series.count = 0;
      series.listed = 0;
    }
    this.#counted = [];
    return [...merged.values()];
  }
}

// Feature keys contain no control characters.
const keyOf = (feature: FeatureKey, variant: string | undefined, on: boolean, via: UsageVia): string =>
  `${feature}\n${on ? "+" : "-"}${via}${variant === undefined ? "" : `\n${variant}`}`;

/** The name of a variant as databases can store it: without NUL and lone surrogates. */
const storable = (variant: string): string => variant.slice(0, maxVariantLength).replaceAll("\0", " ").toWellFormed();
