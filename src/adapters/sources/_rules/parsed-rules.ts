import type { z } from "zod";
import { notServed } from "../../../domain/errors.ts";
import { type FeatureKey, isServedKey } from "../../../domain/evaluation/feature.ts";
import type { RulesByFeature } from "../../../domain/evaluation/rules.ts";
import { faultOf } from "../../schema-faults.ts";
import type { SourceHost } from "../_catalogue/source.ts";

/**
 * Parses the rules of a source, each once per change; returns the same map for the same rules. An invalid stored rule
 * is replaced by `instead`, or omitted without it. A rule of an invalid feature key is always omitted. Both are
 * reported.
 */
export function parsedRules<T>(
  schema: z.ZodType<T>,
  report: SourceHost["report"],
  instead?: T,
): (rules: RulesByFeature) => ReadonlyMap<FeatureKey, T> {
  const parsed = new WeakMap<RulesByFeature, ReadonlyMap<FeatureKey, T>>();
  let last: RulesByFeature = new Map();
  return (rules) => {
    const known = parsed.get(rules);
    if (known) return known;
    const all = new Map<FeatureKey, T>();
    const faults: string[] = [];
    for (const [feature, rule] of rules) {
      if (!isServedKey(feature)) {
        faults.push(`${named(feature)}: ${notServed(feature).message}`);
        continue;
      }
      const previous = last.get(feature) === rule ? parsed.get(last)?.get(feature) : undefined;
      if (previous !== undefined && previous !== instead) {
        all.set(feature, previous);
        continue;
      }
      const { success, data, error } = schema.safeParse(rule);
      if (success) {
        all.set(feature, data);
        continue;
      }
      const [fault] = error.issues.flatMap((issue) => faultOf(issue, rule));
      faults.push(`${named(feature)}: ${fault?.pointer || "it"} ${fault?.detail ?? "is invalid"}`);
      if (instead !== undefined) all.set(feature, instead);
    }
    report(faults);
    parsed.set(rules, all);
    last = rules;
    return all;
  };
}

const named = (feature: string): string => `rule for ${JSON.stringify(feature.slice(0, 200))}`;
