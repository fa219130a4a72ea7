import type { Context } from "hono";

/** How routes describe the source in their path. */
export const nameParameter = {
  name: "name",
  in: "path",
  required: true,
  description: "The source.",
  schema: { type: "string" },
  example: "global",
} as const;

/** The source that a request names. */
export const nameIn = (c: Context): string => c.req.param("name") ?? "";

/** The problems that every read of a source may be refused with. */
export const readProblems = [
  "operators-only",
  "invalid-query",
  "unknown-source",
  "not-changeable",
  "source-unavailable",
] as const;
