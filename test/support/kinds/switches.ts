import { z } from "zod";
import { defineSource } from "../../../src/adapters/sources/_catalogue/source.ts";
import { parsedRules } from "../../../src/adapters/sources/_rules/parsed-rules.ts";
import type { CachedRead } from "../../../src/domain/evaluation/cached-read.ts";
import type { RulesByFeature } from "../../../src/domain/evaluation/rules.ts";
import type { SourceResult } from "../../../src/domain/evaluation/source-result.ts";

const rule = z.strictObject({
  on: z.boolean(),
  floors: z.array(z.int().min(0).max(9)).max(3).default([]),
  until: z
    .string()
    .refine((text) => text !== "never", "is not an end; set one, or omit it")
    .exactOptional(),
});

export const source = defineSource({
  summary: "Switches features on or off as somebody wrote down.",
  options: (words) =>
    words.z.strictObject({
      connection: words.connection.describe("The connection that holds them."),
      collection: words.collection.describe("Their collection.").default("switches"),
    }),
  example: { connection: "features" },
  editable: { rules: () => rule },
  deterministic: true,
  create: (_, { readRules, report }) => {
    const parsed = parsedRules(rule, report);
    const answer = (cached: CachedRead<RulesByFeature>): SourceResult => ({
      features: new Map(
        [...parsed(cached.value)].map(([feature, { on }]) => [
          feature,
          { on, value: on, reason: on ? "STATIC" : "DISABLED" },
        ]),
      ),
      dependencies: [cached],
      validUntil: Number.POSITIVE_INFINITY,
    });
    return {
      varyBy: [],
      resolve: () => {
        const cached = readRules();
        return cached instanceof Promise ? cached.then(answer) : answer(cached);
      },
    };
  },
});
