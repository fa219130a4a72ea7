import type { z } from "zod";
import type { RulesByFeature } from "../../../domain/admin/rules.ts";
import { notServed } from "../../../domain/errors.ts";
import { type FeatureKey, isServedKey, type Json } from "../../../domain/evaluation/feature.ts";
import { faultOf } from "../../http/kit/schema-faults.ts";
import type { SourceHost } from "../_catalogue/source.ts";

/** The rules of the last parse, and their parsed forms. Invalid rules have none. */
type Parsed<T> = {
  readonly rules: ReadonlyMap<FeatureKey, Json>;
  readonly all: ReadonlyMap<FeatureKey, T>;
};

/**
 * Parsed rules of a source. Parses each rule once per change. An invalid stored rule is replaced by a default, or
 * omitted if there is none. A rule of an invalid feature key is always omitted. Both are reported.
 */
export class ParsedRules<T> {
  readonly #schema: z.ZodType<T>;
  readonly #report: SourceHost["report"];
  readonly #instead: T | undefined;
  readonly #parsed = new WeakMap<RulesByFeature, ReadonlyMap<FeatureKey, T>>();
  #last: Parsed<T> = { rules: new Map(), all: new Map() };

  /** `instead` replaces an invalid rule; without it, the rule is omitted. */
  constructor(schema: z.ZodType<T>, report: SourceHost["report"], instead?: T) {
    this.#schema = schema;
    this.#report = report;
    this.#instead = instead;
  }

  /** Returns the same map for the same rules. */
  of(rules: RulesByFeature): ReadonlyMap<FeatureKey, T> {
    const parsed = this.#parsed.get(rules);
    if (parsed) return parsed;
    const { all, faults } = this.#parse(rules);
    this.#report(faults);
    this.#parsed.set(rules, all);
    this.#last = { rules, all };
    return all;
  }

  #parse(rules: RulesByFeature): { readonly all: ReadonlyMap<FeatureKey, T>; readonly faults: string[] } {
    const all = new Map<FeatureKey, T>();
    const faults: string[] = [];
    for (const [feature, rule] of rules) {
      if (!isServedKey(feature)) {
        faults.push(`${named(feature)}: ${notServed(feature).message}`);
        continue;
      }
      const previous = this.#last.rules.get(feature) === rule ? this.#last.all.get(feature) : undefined;
      if (previous !== undefined && previous !== this.#instead) {
        all.set(feature, previous);
        continue;
      }
      const { success, data, error } = this.#schema.safeParse(rule);
      if (success) {
        all.set(feature, data);
        continue;
      }
      const [fault] = error.issues.flatMap((issue) => faultOf(issue, rule));
      faults.push(`${named(feature)}: ${fault?.pointer || "it"} ${fault?.detail ?? "is invalid"}`);
      if (this.#instead !== undefined) all.set(feature, this.#instead);
    }
    return { all, faults };
  }
}

const named = (feature: string): string => `rule for ${JSON.stringify(feature.slice(0, 200))}`;
