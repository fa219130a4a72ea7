import { isServedKey, servedKeyRule } from "../../domain/evaluation/feature.ts";
import type { Resolution } from "../../domain/evaluation/source-result.ts";
import { defineSource } from "./_catalogue/source.ts";

export const source = defineSource({
  summary: "Switches features on or off in the configuration file.",
  options: ({ z }) =>
    z.strictObject({
      features: z
        .record(z.string().refine(isServedKey, `invalid feature key (expected ${servedKeyRule})`), z.boolean())
        .describe("Whether each feature is on. Features that are not listed are absent, which differs from off."),
    }),
  example: { features: { new_menu: true, old_search: false } },
  deterministic: true,
  create: ({ features }) => {
    const resolution = (on: boolean): Resolution => ({ on, value: on, reason: on ? "STATIC" : "DISABLED" });
    const resolutions = new Map(Object.entries(features).map(([key, on]) => [key, resolution(on)]));
    const result = { features: resolutions, validUntil: Number.POSITIVE_INFINITY };
    return { varyBy: [], resolve: () => result };
  },
});
