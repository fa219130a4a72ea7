import { z } from "@hono/zod-openapi";
import { jsonContent } from "../routing/json-content.ts";

const UnleashToggle = z
  .object({
    name: z.string(),
    enabled: z.literal(true),
    variant: z.object({
      name: z.string(),
      enabled: z.boolean(),
      feature_enabled: z.literal(true),
      payload: z.object({ type: z.enum(["string", "number", "json", "csv"]), value: z.string() }).optional(),
    }),
    impressionData: z.boolean(),
  })
  .openapi("UnleashToggle", {
    example: {
      name: "theme",
      enabled: true,
      variant: { name: "dark", enabled: true, feature_enabled: true, payload: { type: "string", value: "#000" } },
      impressionData: false,
    },
  });

/** A feature that is on, as the frontend API of Unleash has it. */
export type Toggle = z.output<typeof UnleashToggle>;

/** Response of the frontend API: only the features that are on. */
export const UnleashToggles = z.object({ toggles: z.array(UnleashToggle) }).openapi("UnleashToggles");

const count = z.number().min(0);

/** Usage that an SDK reports. */
export const UnleashMetrics = z
  .looseObject({
    appName: z.string(),
    instanceId: z.string().nullish(),
    bucket: z
      .looseObject({
        start: z.unknown(),
        stop: z.unknown(),
        toggles: z.record(
          z.string(),
          z.looseObject({
            yes: count.optional(),
            no: count.optional(),
            variants: z.record(z.string(), count).nullish(),
          }),
        ),
      })
      .nullish(),
  })
  .openapi("UnleashMetrics");

/** An application that an SDK registers. */
export const UnleashApplication = z
  .looseObject({ appName: z.string(), instanceId: z.string().nullish(), strategies: z.array(z.string()).optional() })
  .openapi("UnleashApplication");

/** The response of `/api/client/features`, as the Unleash server wrote it. */
export const UnleashDocument = z.looseObject({ features: z.array(z.unknown()) }).openapi("UnleashDocument");

/** An error in the format of Unleash's SDKs, besides the members of problem details. */
const UnleashError = z
  .object({ name: z.string(), message: z.string(), details: z.array(z.object({ message: z.string() })) })
  .openapi("UnleashError");

/** OpenAPI responses for errors with these statuses. */
export const unleashErrors = (...statuses: number[]) =>
  Object.fromEntries(
    statuses.map((status) => [status, { description: "An error.", content: jsonContent(UnleashError) }]),
  );
