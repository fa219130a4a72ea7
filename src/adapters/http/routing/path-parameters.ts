import type { Context } from "hono";

/** OpenAPI description of a path parameter. */
export function pathParameter(name: string, description: string, example: string) {
  return { name, in: "path", required: true, description, schema: { type: "string" }, example } as const;
}

export const sourceParameter = pathParameter("source", "The name of the source.", "global");

/** The source name in the path of a request. */
export const sourceIn = (c: Context): string => c.req.param("source") ?? "";

/** Problem codes of every route with the `source` parameter. */
export const readProblems = ["unknown-source", "not-changeable", "source-unavailable"] as const;

export const featureParameter = pathParameter(
  "feature",
  "The feature key, percent-encoded. Slashes may stay unencoded. `.` and `..` cannot be path segments; send `~.` and `~..`.",
  "feature_3",
);

/** The same for a path that continues behind the feature. */
export const innerFeatureParameter = pathParameter(
  "feature",
  "The feature key, percent-encoded, its slashes too. Send `~.` and `~..` for `.` and `..`.",
  "feature_3",
);

/** The feature key in the path of a request. */
export const featureIn = (c: Context): string => textOf(c.req.param("feature"));

export const userParameter = pathParameter(
  "userId",
  "The user id, percent-encoded. Send `~.` and `~..` for `.` and `..`.",
  "1",
);

/** The user id in the path of a request. */
export const userIn = (c: Context): string => textOf(c.req.param("userId"));

/**
 * The text of a segment. URLs have no segments `.` and `..`, also if they are encoded, so these are sent as `~.` and
 * `~..`; and these two in turn as `~~.` and `~~..`.
 */
const textOf = (segment = ""): string => (/^~+\.\.?$/.test(segment) ? segment.slice(1) : segment);
