import type { z } from "zod";
import type { RuleCheck } from "../../../domain/admin/editable-rules.ts";
import { isWritableKey, type Json, writableKeyRule } from "../../../domain/evaluation/feature.ts";
import { faultOf } from "../../schema-faults.ts";

/** The schemas of a kind's rules, and of the segments that they share, if it has segments. */
export type RuleSchemas = { readonly rule: z.ZodType; readonly segment?: z.ZodType | undefined };

/** Names with this prefix are segments, if the kind has segments. */
export const segmentPrefix = "$";

/** The deepest nesting of a rule. Checks and evaluation are recursive. */
export const maxRuleDepth = 500;

const invalidName = {
  pointer: "",
  detail: `has an invalid segment name (expected ${segmentPrefix} and ${writableKeyRule})`,
};

/** Validates rules and segments against the schemas of their kind. */
export const ruleCheck =
  ({ rule, segment }: RuleSchemas): RuleCheck =>
  (name, value) => {
    const isSegment = segment !== undefined && name.startsWith(segmentPrefix);
    if (isSegment && !isWritableKey(name.slice(segmentPrefix.length))) return { faults: [invalidName] };
    if (isDeep(value)) return { faults: [{ pointer: "", detail: `is nested deeper than ${maxRuleDepth} levels` }] };
    const schema = isSegment ? segment : rule;
    const { success, data, error } = schema.safeParse(value);
    if (!success) return { faults: error.issues.flatMap((issue) => faultOf(issue, value)) };
    // Stores represent a deleted rule as null.
    if (data === null || data === undefined)
      return { faults: [{ pointer: "", detail: "is empty; remove the rule instead" }] };
    return { rule: data as Json };
  };

/** Iterative, because a value can be nested deeper than the call stack allows. */
function isDeep(value: unknown): boolean {
  let level: readonly unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > maxRuleDepth) return true;
    level = level.flatMap((each) => (typeof each === "object" && each !== null ? Object.values(each) : []));
  }
  return false;
}
