import type { Json } from "../../../domain/evaluation/feature.ts";
import { maxRuleDepth } from "../_rules/rule-check.ts";
import { isMap } from "./targeting.ts";

/** Maximum number of values of a rule with its references replaced: segments that refer to each other can multiply. */
const maxValues = 20_000;

/** A rule without references, the number of its values, and its depth. */
type Resolved = { readonly rule: Json; readonly values: number; readonly depth: number };

/** Segments: rules by name, which other rules refer to with `{ $ref: name }`. flagd calls them shared evaluators. */
export class Segments {
  readonly #rules: ReadonlyMap<string, Json>;
  readonly #resolved = new Map<string, Resolved>();

  constructor(rules: ReadonlyMap<string, Json>) {
    this.#rules = rules;
  }

  /**
   * Replaces the references in a rule, and those in the segments that it refers to. Returns the same object if there
   * are none. Throws, with the reason, for unknown and cyclic references and for a rule that is too deep or too large.
   */
  applyTo(rule: Json): Json {
    const resolved = this.#resolve(rule, []);
    if (resolved.rule !== rule && resolved.values > maxValues)
      throw new Error(`its targeting with its segments has more than ${maxValues.toLocaleString("en")} values`);
    return resolved.rule;
  }

  /** `within` are the names of the segments that contain the rule, outermost first. */
  #resolve(rule: Json, within: readonly string[], level = 0): Resolved {
    if (level > maxRuleDepth) throw tooDeep();
    if (typeof rule !== "object" || rule === null) return { rule, values: 1, depth: 0 };
    const name = referenceIn(rule);
    if (name !== undefined) return this.#segment(name, within, level);
    let [values, depth, isSame] = [1, 0, true];
    const inner = (each: Json): Json => {
      const resolved = this.#resolve(each, within, level + 1);
      values += resolved.values;
      depth = Math.max(depth, resolved.depth + 1);
      if (depth > maxRuleDepth) throw tooDeep();
      isSame &&= resolved.rule === each;
      return resolved.rule;
    };
    const replaced = Array.isArray(rule)
      ? rule.map(inner)
      : Object.fromEntries(Object.entries<Json>(rule).map(([operation, operands]) => [operation, inner(operands)]));
    return { rule: isSame ? rule : replaced, values, depth };
  }

  #segment(name: string, within: readonly string[], level: number): Resolved {
    const known = this.#resolved.get(name);
    if (known) return known;
    if (within.includes(name)) {
      const cycle = [...within.slice(within.indexOf(name)), name].map((each) => JSON.stringify(each)).join(" -> ");
      throw new Error(`its segments refer to each other in a cycle: ${cycle}`);
    }
    const rule = this.#rules.get(name);
    if (rule === undefined)
      throw new Error(`segment ${JSON.stringify(name.slice(0, 200))} does not exist; add it, or correct the $ref`);
    const resolved = this.#resolve(rule, [...within, name], level);
    this.#resolved.set(name, resolved);
    return resolved;
  }
}

/** The name of the segment that a rule refers to as a whole. */
export function referenceIn(rule: Json): string | undefined {
  if (!isMap(rule)) return undefined;
  const { $ref: name, ...others } = rule;
  return typeof name === "string" && Object.keys(others).length === 0 ? name : undefined;
}

const tooDeep = (): Error => new Error(`its targeting is nested deeper than ${maxRuleDepth} levels`);
