import type { z } from "zod";
import type { RulesByFeature } from "../../../domain/admin/editable-rules.ts";
import { type FeatureKey, isServedKey, type Json, longestServedKey } from "../../../domain/evaluation/feature.ts";
import type { SourceHost } from "../_catalogue/source.ts";

const warnEveryMs = 60_000;

/** The rules of the last parse, and their parsed forms. Invalid rules have none. */
type Parsed<T> = {
  readonly rules: ReadonlyMap<FeatureKey, Json>;
  readonly all: ReadonlyMap<FeatureKey, T>;
};

/**
 * Parsed rules of a source. Parses each rule once per change. An invalid stored rule is replaced by a default, or
 * omitted if there is none. A rule of an invalid feature key is always omitted. Logs a warning about both at most once
 * a minute.
 */
export class ParsedRules<T> {
  readonly #schema: z.ZodType<T>;
  readonly #warn: SourceHost["warn"];
  readonly #instead: T | undefined;
  readonly #parsed = new WeakMap<RulesByFeature, ReadonlyMap<FeatureKey, T>>();
  #last: Parsed<T> = { rules: new Map(), all: new Map() };
  #warnedAt = Number.NEGATIVE_INFINITY;

  /** `instead` replaces an invalid rule; without it, the rule is omitted. */
  constructor(schema: z.ZodType<T>, warn: SourceHost["warn"], instead?: T) {
    this.#schema = schema;
    this.#warn = warn;
    this.#instead = instead;
  }

  /** Returns the same map for the same rules. */
  of(rules: RulesByFeature): ReadonlyMap<FeatureKey, T> {
    const known = this.#parsed.get(rules);
    if (known) return known;
    const { all, invalid } = this.#parse(rules);
    if (invalid.length > 0) this.#tell(invalid);
    this.#parsed.set(rules, all);
    this.#last = { rules, all };
    return all;
  }

  #parse(rules: RulesByFeature): { readonly all: ReadonlyMap<FeatureKey, T>; readonly invalid: FeatureKey[] } {
    const all = new Map<FeatureKey, T>();
    const invalid: FeatureKey[] = [];
    for (const [feature, rule] of rules) {
      if (!isServedKey(feature)) {
        invalid.push(feature.slice(0, longestServedKey));
        continue;
      }
      const before = this.#last.rules.get(feature) === rule ? this.#last.all.get(feature) : undefined;
      const { success, data } = before === undefined ? this.#schema.safeParse(rule) : { success: true, data: before };
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
      "rules that are none do not count; put them anew through the admin API, or remove them",
    );
  }
}
