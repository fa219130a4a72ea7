import type { FeatureKey } from "../../domain/evaluation/feature.ts";
import type { Flag } from "../../domain/evaluation/flag.ts";
import type { UsageCount } from "../../domain/usage/usage-store.ts";
import { type Series, SeriesCounts } from "./series-counts.ts";

/** The features that a response states. */
export type Stated =
  | {
      readonly flags: Iterable<Pick<Flag, "key" | "on" | "variant">>;
      /** Whether known features that it omits are off. */
      readonly omitsOff: boolean;
    }
  /** Those that are on, without variants. The known features that it omits are off. */
  | { readonly on: ReadonlyMap<FeatureKey, unknown> };

/** Counts the responses that have the same body. */
export type Tally = { responses: number; readonly series: readonly Series[]; readonly omitsOff: boolean };

/**
 * An SDK's report of a feature: the number of evaluations on and off, and of each variant. The variants are part of
 * `yes`.
 */
export type ReportedUsage = {
  readonly yes?: number | undefined;
  readonly no?: number | undefined;
  readonly variants?: Readonly<Record<string, number>> | null | undefined;
};

/** Maximum number of tallies that wait to be added up. */
const maxTallies = 10_000;
/** Maximum number of features in the tallies that are found again by their body. */
const maxFeaturesInBodies = 200_000;
/** A larger number in a report is treated as this one. */
const maxReported = 1_000_000_000;

/** Name under which Unleash's SDKs count a feature without variants. */
const noVariant = "disabled";

/**
 * Counts evaluations in memory. A response costs one addition, because responses with the same body share a tally. The
 * features in the body are counted when the counts are taken.
 */
export class CountUsage {
  readonly #known: () => Promise<ReadonlySet<FeatureKey> | undefined>;
  readonly #series = new SeriesCounts();
  readonly #bodies = new Map<string, Tally>();
  /** Number of features in `#bodies`. */
  #inBodies = 0;
  /** Tallies with counts. */
  #tallies: Tally[] = [];
  /** Number of responses that omit features which are off. */
  #listings = 0;

  /** `known` returns the known features; `undefined` if there is no register of them. */
  constructor(known: () => Promise<ReadonlySet<FeatureKey> | undefined>) {
    this.#known = known;
  }

  /** Number of evaluations that were not counted, because there were too many series. */
  get dropped(): number {
    return this.#series.dropped;
  }

  /** The tally of responses with a body. `entityTag` is the digest of the body. */
  tallyOf(entityTag: string, stated: () => Stated): Tally {
    const found = this.#bodies.get(entityTag);
    if (found) return found;
    const features = stated();
    const series: Series[] = [];
    this.#eachSeries(features, (each) => series.push(each));
    const tally: Tally = { responses: 0, series, omitsOff: omitsOff(features) };
    // A tally that is forgotten still counts for the responses that have it.
    if (this.#inBodies > maxFeaturesInBodies) {
      this.#bodies.clear();
      this.#inBodies = 0;
    }
    this.#bodies.set(entityTag, tally);
    this.#inBodies += series.length + 1;
    return tally;
  }

  /** Counts a response. */
  count(tally: Tally): void {
    if (tally.responses === 0) this.#list(tally);
    tally.responses += 1;
  }

  /** Counts a response whose body is not sent again, without a tally. */
  countOnce(stated: Stated): void {
    const isListing = omitsOff(stated);
    if (isListing) this.#listings += 1;
    this.#eachSeries(stated, (series) => this.#series.add(series, 1, isListing));
  }

  /** Counts an evaluation of a single flag. */
  countFlag({ key, variant, on }: Pick<Flag, "key" | "variant" | "on">): void {
    this.#series.add(this.#series.of(key, variant, on, "flag"), 1);
  }

  /**
   * Counts an SDK's reports, by feature. Ignores unknown features, and all of them if the known ones cannot be read.
   */
  async countReport(report: Readonly<Record<FeatureKey, ReportedUsage>>): Promise<void> {
    const known = await this.#readKnown();
    for (const [feature, { yes = 0, no = 0, variants }] of Object.entries(report)) {
      if (!known?.has(feature)) continue;
      const add = (variant: string | undefined, on: boolean, count: number) =>
        this.#series.add(this.#series.of(feature, variant, on, "report"), Math.floor(Math.min(count, maxReported)));
      let rest = yes;
      for (const [variant, count] of Object.entries(variants ?? {})) {
        if (variant === noVariant) continue;
        const some = Math.min(count, rest);
        rest -= some;
        add(variant, true, some);
      }
      add(undefined, true, rest);
      add(undefined, false, no);
    }
  }

  /**
   * Returns the counts since the last call, and starts anew. Features that responses omit are not counted as off if
   * the known features cannot be read.
   */
  async take(): Promise<readonly UsageCount[]> {
    if (this.#series.isEmpty && this.#tallies.length + this.#listings === 0) return [];
    const known = await this.#readKnown();
    this.#addUp();
    const listings = this.#listings;
    this.#listings = 0;
    if (known && listings > 0) this.#addOmitted(known, listings);
    return this.#series.take();
  }

  /** Forgets all counts. */
  clear(): void {
    this.#addUp();
    this.#series.take();
    this.#series.dropped = 0;
    this.#listings = 0;
  }

  #readKnown(): Promise<ReadonlySet<FeatureKey> | undefined> {
    return this.#known().catch(() => undefined);
  }

  #list(tally: Tally): void {
    if (this.#tallies.length >= maxTallies) this.#addUp();
    this.#tallies.push(tally);
  }

  #addUp(): void {
    for (const tally of this.#tallies) {
      const { responses, omitsOff } = tally;
      tally.responses = 0;
      if (omitsOff) this.#listings += responses;
      for (const series of tally.series) this.#series.add(series, responses, omitsOff);
    }
    this.#tallies = [];
  }

  /** Counts known features as off in responses that do not state them. */
  #addOmitted(known: Iterable<FeatureKey>, listings: number): void {
    const listed = this.#series.listed();
    for (const feature of known) {
      this.#series.add(this.#series.of(feature, undefined, false, "response"), listings - (listed.get(feature) ?? 0));
    }
  }

  #eachSeries(stated: Stated, use: (series: Series) => void): void {
    if ("on" in stated) {
      stated.on.forEach((_, key) => {
        use(this.#series.of(key, undefined, true, "response"));
      });
    } else {
      for (const { key, on, variant } of stated.flags) use(this.#series.of(key, variant, on, "response"));
    }
  }
}

const omitsOff = (stated: Stated): boolean => "on" in stated || stated.omitsOff;
