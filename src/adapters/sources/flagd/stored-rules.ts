import type { FeatureKey, Json } from "../../../domain/evaluation/feature.ts";
import type { RulesByFeature } from "../../../domain/evaluation/rules.ts";
import { segmentPrefix } from "../_rules/rule-check.ts";
import { Flag } from "./flag.ts";
import { FlagdRules } from "./flagd-rules.ts";
import { Segments } from "./segments.ts";

type Compiled = { readonly rule: Json; readonly flag: Flag };

/**
 * Reads the flags and segments in a collection: a flag under the key of its feature, a segment under its name with the
 * prefix `$`. Compiles a flag again only if the flag changed, or if it uses segments and one of them changed. Returns
 * the same rules for the same map. `report` is called with the rules after each change.
 */
export function storedRules(report: (rules: FlagdRules) => void): (stored: RulesByFeature) => FlagdRules {
  const known = new WeakMap<RulesByFeature, FlagdRules>();
  let lastSegments: ReadonlyMap<string, Json> = new Map();
  let lastFlags: ReadonlyMap<FeatureKey, Compiled> = new Map();
  return (stored) => {
    const same = known.get(stored);
    if (same) return same;
    const isSegment = (name: string) => name.startsWith(segmentPrefix);
    const rules = new Map([...stored].filter(([name]) => isSegment(name)));
    const areSame =
      rules.size === lastSegments.size && [...rules].every(([name, rule]) => lastSegments.get(name) === rule);
    const segments = new Segments(new Map([...rules].map(([name, rule]) => [name.slice(segmentPrefix.length), rule])));
    const flags = new Map<FeatureKey, Compiled>();
    for (const [feature, rule] of stored) {
      if (isSegment(feature)) continue;
      const last = lastFlags.get(feature);
      const isSame = last?.rule === rule && (areSame || !last.flag.usesSegments);
      flags.set(feature, isSame ? last : { rule, flag: Flag.of(feature, rule, segments) });
    }
    const compiled = new FlagdRules([...flags.values()].map(({ flag }) => flag));
    lastSegments = rules;
    lastFlags = flags;
    known.set(stored, compiled);
    report(compiled);
    return compiled;
  };
}
