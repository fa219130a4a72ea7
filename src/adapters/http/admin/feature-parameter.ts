/** How routes describe the feature in their path. */
export const featureParameter = {
  name: "feature",
  in: "path",
  required: true,
  description:
    "The feature key, percent-encoded. A slash may stand as it is. `.` and `..` cannot be path segments; name these in a body.",
  schema: { type: "string" },
  example: "feature_3",
} as const;
