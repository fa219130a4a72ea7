import type { Context } from "hono";

/** OpenAPI description of the `name` path parameter, the name of a source. */
export const nameParameter = {
  name: "name",
  in: "path",
  required: true,
  description: "The source.",
  schema: { type: "string" },
  example: "global",
} as const;

/** The source name in the path of a request. */
export const nameIn = (c: Context): string => c.req.param("name") ?? "";

/** Problem codes that every read of a source can return. */
export const readProblems = [
  "unauthenticated",
  "invalid-query",
  "unknown-source",
  "not-changeable",
  "source-unavailable",
] as const;
