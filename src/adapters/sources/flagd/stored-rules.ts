import type { RulesByFeature } from "../../../domain/admin/rules.ts";
import type { FeatureKey, Json } from "../../../domain/evaluation/feature.ts";
import { segmentPrefix } from "../_rules/rule-check.ts";
import { Flag } from "./flag.ts";
import { FlagdRules } from "./flagd-rules.ts";
import { Segments } from "./segments.ts";

type Compiled = { readonly rule: Json; readonly flag: Flag };

/**
 * Flags and segments in a collection: a flag under the key of its feature, a segment under its name with the prefix
 * `$`. Compiles a flag again only if the flag changed, or if it uses segments and one of them changed.
 */
export class StoredRules {
  readonly #report: (rules: FlagdRules) => void;
  readonly #known = new WeakMap<RulesByFeature, FlagdRules>();
  #segments: ReadonlyMap<string, Json> = new Map();
  #flags: ReadonlyMap<FeatureKey, Compiled> = new Map();

  /** `report` is called with the rules after each change. */
  constructor(report: (rules: FlagdRules) => void) {
    this.#report = report;
  }

  /** Returns the same rules for the same map. */
  of(stored: RulesByFeature): FlagdRules {
    const known = this.#known.get(stored);
    if (known) return known;
    const isSegment = (name: string) => name.startsWith(segmentPrefix);
    const rules = new Map([...stored].filter(([name]) => isSegment(name)));
    const areSame =
      rules.size === this.#segments.size && [...rules].every(([name, rule]) => this.#segments.get(name) === rule);
    const segments = new Segments(new Map([...rules].map(([name, rule]) => [name.slice(segmentPrefix.length), rule])));
    const flags = new Map<FeatureKey, Compiled>();
    for (const [feature, rule] of stored) {
      if (isSegment(feature)) continue;
      const last = this.#flags.get(feature);
      const isSame = last?.rule === rule && (areSame || !last.flag.usesSegments);
      flags.set(feature, isSame ? last : { rule, flag: Flag.of(feature, rule, segments) });
    }
    const compiled = new FlagdRules([...flags.values()].map(({ flag }) => flag));
    this.#segments = rules;
    this.#flags = flags;
    this.#known.set(stored, compiled);
    this.#report(compiled);
    return compiled;
  }
}
