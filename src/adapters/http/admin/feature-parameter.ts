/** OpenAPI description of the `feature` path parameter. */
export const featureParameter = {
  name: "feature",
  in: "path",
  required: true,
  description:
    "The feature key, percent-encoded. A slash may stand as it is. `.` and `..` cannot be path segments; name these in a body.",
  schema: { type: "string" },
  example: "feature_3",
} as const;
