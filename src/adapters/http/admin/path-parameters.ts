import type { Context } from "hono";

/** OpenAPI description of the `source` path parameter. */
export const sourceParameter = {
  name: "source",
  in: "path",
  required: true,
  description: "The name of the source.",
  schema: { type: "string" },
  example: "global",
} as const;

/** The source name in the path of a request. */
export const sourceIn = (c: Context): string => c.req.param("source") ?? "";

/** Problem codes of every route with the `source` parameter. */
export const readProblems = [
  "unauthenticated",
  "invalid-query",
  "unknown-source",
  "not-changeable",
  "source-unavailable",
] as const;

/** OpenAPI description of the `feature` path parameter. */
export const featureParameter = {
  name: "feature",
  in: "path",
  required: true,
  description:
    "The feature key, percent-encoded. Slashes may stay unencoded. `.` and `..` cannot be path segments; send such keys in a body.",
  schema: { type: "string" },
  example: "feature_3",
} as const;

/** The same for a path that continues behind the feature. */
export const innerFeatureParameter = {
  ...featureParameter,
  description: "The feature key, percent-encoded, its slashes too.",
} as const;

/** The feature key in the path of a request. */
export const featureIn = (c: Context): string => c.req.param("feature") ?? "";
