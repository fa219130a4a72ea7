import { z } from "zod";
import { ParsedSettings } from "../../../src/adapters/parsed-settings.ts";
import { defineSource } from "../../../src/adapters/source.ts";
import type { Answer } from "../../../src/domain/feature-resolver.ts";
import type { Held } from "../../../src/domain/held.ts";
import type { SettingsByFeature } from "../../../src/domain/stored-settings.ts";

const setting = z.strictObject({
  on: z.boolean(),
  floors: z.array(z.int().min(0).max(9)).max(3).default([]),
  until: z
    .string()
    .refine((text) => text !== "never", "is no end; name one, or leave it out")
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
  setting: () => setting,
  replayable: true,
  create: ({ connection, collection }, host) => {
    const { settings, documents } = host.store(connection);
    const parsed = new ParsedSettings(setting, host.warn);
    const answer = (held: Held<SettingsByFeature>): Answer => ({
      features: new Map(
        [...parsed.of(held.value)].map(([feature, { on }]) => [
          feature,
          { on, value: on, reason: on ? "STATIC" : "DISABLED" },
        ]),
      ),
      from: [held],
      validUntil: Number.POSITIVE_INFINITY,
    });
    return {
      reads: [],
      settings: { connection, collection, settings, documents },
      resolve: () => {
        const held = settings.read(collection);
        return held instanceof Promise ? held.then(answer) : answer(held);
      },
    };
  },
});
