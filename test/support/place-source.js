/** Switches on what is called as the places that a caller is in. */
export const source = {
  summary: "The places that a caller is in.",
  options: ({ z }) => z.strictObject({}),
  example: {},
  create: () => ({
    varyBy: ["locations"],
    resolve: ({ locations = [] }) => ({
      features: new Map(locations.map((place) => [place, { on: true, value: true, reason: "TARGETING_MATCH" }])),
      validUntil: Number.POSITIVE_INFINITY,
    }),
  }),
};
