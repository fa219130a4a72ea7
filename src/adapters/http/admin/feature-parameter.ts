/** How routes describe the feature in their path. */
export const featureParameter = {
  name: "feature",
  in: "path",
  required: true,
  description: "The feature key; slashes stand as they are.",
  schema: { type: "string" },
  example: "feature_3",
} as const;
