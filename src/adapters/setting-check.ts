import type { z } from "zod";
import type { SettingCheck } from "../application/source-sets.ts";
import type { Json } from "../domain/feature.ts";
import { faultOf } from "./http/schema-faults.ts";

/** Checks settings by the schema of a kind. */
export const settingCheck =
  (schema: z.ZodType): SettingCheck =>
  (value) => {
    const { success, data, error } = schema.safeParse(value);
    if (!success) return { faults: error.issues.flatMap((issue) => faultOf(issue, value)) };
    // Nothing is how stores keep what was removed.
    if (data === null || data === undefined) return { faults: [{ pointer: "", detail: "is nothing; remove it" }] };
    return { setting: data as Json };
  };
