import type { z } from "zod";
import type { RulesByFeature } from "../../../domain/admin/editable-rules.ts";
import { type FeatureKey, isServedKey, type Json, longestServedKey } from "../../../domain/evaluation/feature.ts";
import type { SourceHost } from "../_catalogue/source.ts";

const warnEveryMs = 60_000;

/** The settings that were parsed last, and what became of each; one that is none became nothing. */
type Parsed<T> = {
  readonly settings: ReadonlyMap<FeatureKey, Json>;
  readonly all: ReadonlyMap<FeatureKey, T>;
};

/**
 * Settings of single features as a source needs them: each is parsed once, when it was changed. One that is not what the
 * schema wants, because it was written behind our back, is left out, or taken for another, and of no feature that is served left out; it is warned of at most once a minute.
 */
export class ParsedRules<T> {
  readonly #schema: z.ZodType<T>;
  readonly #warn: SourceHost["warn"];
  readonly #instead: T | undefined;
  readonly #parsed = new WeakMap<RulesByFeature, ReadonlyMap<FeatureKey, T>>();
  #last: Parsed<T> = { settings: new Map(), all: new Map() };
  #warnedAt = Number.NEGATIVE_INFINITY;

  /** `instead` is what one that is none is taken for; without it such a feature is left out. */
  constructor(schema: z.ZodType<T>, warn: SourceHost["warn"], instead?: T) {
    this.#schema = schema;
    this.#warn = warn;
    this.#instead = instead;
  }

  /** The same map for the same settings. */
  of(settings: RulesByFeature): ReadonlyMap<FeatureKey, T> {
    const known = this.#parsed.get(settings);
    if (known) return known;
    const { all, invalid } = this.#parse(settings);
    if (invalid.length > 0) this.#tell(invalid);
    this.#parsed.set(settings, all);
    this.#last = { settings, all };
    return all;
  }

  #parse(settings: RulesByFeature): { readonly all: ReadonlyMap<FeatureKey, T>; readonly invalid: FeatureKey[] } {
    const all = new Map<FeatureKey, T>();
    const invalid: FeatureKey[] = [];
    for (const [feature, setting] of settings) {
      if (!isServedKey(feature)) {
        invalid.push(feature.slice(0, longestServedKey));
        continue;
      }
      const before = this.#last.settings.get(feature) === setting ? this.#last.all.get(feature) : undefined;
      const { success, data } =
        before === undefined ? this.#schema.safeParse(setting) : { success: true, data: before };
      if (success) all.set(feature, data as T);
      else {
        invalid.push(feature);
        if (this.#instead !== undefined) all.set(feature, this.#instead);
      }
    }
    return { all, invalid };
  }

  #tell(invalid: readonly FeatureKey[]): void {
    const now = performance.now();
    if (now - this.#warnedAt < warnEveryMs) return;
    this.#warnedAt = now;
    this.#warn(
      { features: invalid.slice(0, 10), invalid: invalid.length },
      "settings that are none do not count; put them anew through the admin API, or remove them",
    );
  }
}
