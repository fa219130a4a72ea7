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
export const readProblems = ["unknown-source", "not-changeable", "source-unavailable"] as const;

/** OpenAPI description of the `feature` path parameter. */
export const featureParameter = {
  name: "feature",
  in: "path",
  required: true,
  description:
    "The feature key, percent-encoded. Slashes may stay unencoded. `.` and `..` cannot be path segments; send `~.` and `~..`.",
  schema: { type: "string" },
  example: "feature_3",
} as const;

/** The same for a path that continues behind the feature. */
export const innerFeatureParameter = {
  ...featureParameter,
  description: "The feature key, percent-encoded, its slashes too. Send `~.` and `~..` for `.` and `..`.",
} as const;

/** The feature key in the path of a request. */
export const featureIn = (c: Context): string => textOf(c.req.param("feature"));

/** OpenAPI description of the `userId` path parameter. */
export const userParameter = {
  name: "userId",
  in: "path",
  required: true,
  description: "The user id, percent-encoded. Send `~.` and `~..` for `.` and `..`.",
  schema: { type: "string" },
  example: "1",
} as const;

/** The user id in the path of a request. */
export const userIn = (c: Context): string => textOf(c.req.param("userId"));

/**
 * The text of a segment. URLs have no segments `.` and `..`, also if they are encoded, so these are sent as `~.` and
 * `~..`; and these two in turn as `~~.` and `~~..`.
 */
const textOf = (segment = ""): string => (/^~+\.\.?$/.test(segment) ? segment.slice(1) : segment);
