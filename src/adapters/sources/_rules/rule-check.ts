import type { z } from "zod";
import type { RuleCheck } from "../../../domain/admin/editable-rules.ts";
import type { Json } from "../../../domain/evaluation/feature.ts";
import { faultOf } from "../../http/kit/schema-faults.ts";

/** Validates a rule against the schema of its kind. */
export const ruleCheck =
  (schema: z.ZodType): RuleCheck =>
  (value) => {
    const { success, data, error } = schema.safeParse(value);
    if (!success) return { faults: error.issues.flatMap((issue) => faultOf(issue, value)) };
    // Stores represent a deleted rule as null.
    if (data === null || data === undefined) return { faults: [{ pointer: "", detail: "is nothing; remove it" }] };
    return { rule: data as Json };
  };
