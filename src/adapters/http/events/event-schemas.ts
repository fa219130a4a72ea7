import { z } from "@hono/zod-openapi";
import type { ChangeTargets } from "../../../application/reverts/change-targets.ts";
import { changeOrigins } from "../../../domain/admin/change.ts";
import type { Json } from "../../../domain/evaluation/feature.ts";
import {
  changeTools,
  changeTypes,
  type EventFilter,
  featuresComponent,
  isReservedComponent,
  tidegateComponent,
} from "../../../domain/events/event.ts";
import type { TimeZone } from "../../../domain/targeting/wall-clock.ts";
import { dateForms, endOf, startOf } from "../../dates.ts";

const maxDataBytes = 65_536;

const text = (maxLength: number, example: string) =>
  z
    .string()
    .max(maxLength)
    .refine((input) => input.trim() !== "", "is blank; send text")
    .openapi({ example, minLength: 1 });

const isShort = (value: unknown): boolean => Buffer.byteLength(JSON.stringify(value)) <= maxDataBytes;
const tooLong = `is larger than ${maxDataBytes} bytes of JSON`;

const dataDescription = (what: "object" | "value"): string =>
  `Any JSON ${what} of up to ${maxDataBytes} bytes and 32 levels.`;

/** Request body of an event to record. */
export const NewEventBody = z
  .strictObject({
    component: text(200, "order")
      .refine((input) => !isReservedComponent(input), "is reserved for Tidegate; use another name")
      .describe(`Not ${featuresComponent} or ${tidegateComponent}, regardless of case and width.`),
    data: z
      .record(z.string(), z.custom<Json>())
      .refine(isShort, tooLong)
      .openapi({
        type: "object",
        additionalProperties: true,
        description: dataDescription("object"),
        example: { age: 20 },
      }),
    email: z.email("is invalid (expected an email address, for example ade@gmail.com)").max(254).openapi({
      description: "The person that the event is about, according to the caller.",
      example: "ade@gmail.com",
    }),
    environment: text(200, "production"),
    message: text(10_000, "order failed"),
  })
  .openapi("NewEvent");

/** The activity service's variant: `email` is optional, and `data` is optional and can be any JSON value. */
export const LooseEventBody = NewEventBody.extend({
  data: z
    .unknown()
    .refine(isShort, tooLong)
    .default(null)
    .transform((value) => value as Json)
    .openapi({ description: dataDescription("value"), example: { age: 20 } }),
  email: NewEventBody.shape.email.nullish().transform((email) => email ?? ""),
}).openapi("NewEvent");

/** Response body of an event. */
export const EventBody = z
  .object({
    component: z.string(),
    data: z.unknown().describe("A JSON object; with `compatibility.activityService`, any JSON value."),
    email: z.string().nullable().describe("Null only with `compatibility.activityService`."),
    environment: z.string(),
    message: z.string(),
    id: z.string(),
    created_at: z.string().describe("Seconds since 1970 with a fraction, as text."),
    time: z.iso.datetime().describe("The same instant (RFC 3339)."),
    recorded_by: z
      .string()
      .describe("The name of the credential that posted the event. Unlike `email`, it is verified."),
    position: z.int().describe("The position in the log, from 1."),
    hash: z.string().describe("SHA-256 of this event and the hash of the previous event."),
    store: z.string().optional().describe("Only on a change: the connection."),
    key: z.string().optional().describe("Only on a change: the changed set, rule or other key."),
    revision: z.string().optional().describe("Only on a change: the revision of the key."),
    features: z
      .array(z.string())
      .readonly()
      .optional()
      .describe("Only on a change, and not in an export: the features that it added, removed or described."),
    sources: z.array(z.string()).readonly().optional().describe("Likewise: the sources that read the key now."),
    user: z.string().optional().describe("Likewise: the user of the set or token."),
    location: z.string().optional().describe("Likewise: the location of the set."),
  })
  .openapi("Event", {
    example: {
      component: "order",
      data: { age: 20 },
      email: "ade@gmail.com",
      environment: "production",
      message: "order failed",
      id: "019aa5c1-8c1e-7f3a-9d43-5a1f6f0c2b11",
      created_at: "1795251642.800",
      time: "2026-11-21T09:00:42.800Z",
      recorded_by: "admin",
      position: 4711,
      hash: "5c1b9f0e7a6d4c3b2a190807f6e5d4c3b2a190807f6e5d4c3b2a190807f6e5d4",
    },
  });

const filter = (description: string, example: string) => z.string().optional().openapi({ description, example });

const date = (description: string, example: string, parse: (text: string) => number | undefined) =>
  z
    .string()
    .transform((input, context) => {
      const at = parse(input);
      if (at !== undefined) return at;
      context.addIssue(`is invalid (expected ${dateForms}; encode + as %2B)`);
      return z.NEVER;
    })
    .optional()
    .openapi({ type: "string", description, example });

/** Query parameters that filter events; an event must match all of them. Dates are in `zone`. */
export const eventQuery = (zone: TimeZone) =>
  z
    .strictObject({
      component: filter("The exact component.", "order"),
      environment: filter("The exact environment.", "production"),
      email: filter("The exact email address.", "ade@gmail.com"),
      recorded_by: filter("The exact name of the credential.", "admin"),
      message: filter("Substring of the message, regardless of case.", "failed"),
      feature: filter("The changed feature, or one that items of a feed name.", "feature_1"),
      key: filter("The changed set, rule or other key.", "active_features"),
      type: z
        .enum(changeTypes)
        .optional()
        .describe(
          "Only changes of sets, of documents (rules and descriptions), of tokens, or of operator credentials.",
        ),
      origin: z
        .enum(changeOrigins)
        .optional()
        .describe(
          "`change`: made through Tidegate. `external`: made outside Tidegate. `baseline`: the content of a set when its record begins.",
        ),
      via: z
        .enum(changeTools)
        .optional()
        .describe("Only changes made on the backoffice page, with the command line, or by another client of the API."),
      affecting: filter(
        "A user id: changes that can affect the features of the user, in their own sets and tokens and for everyone. Changes of locations are not included.",
        "1",
      ),
      from_date: date(`The start, inclusive: ${dateForms}. A date is its first instant.`, "2021-04-16", (text) =>
        startOf(text, zone),
      ),
      to_date: date("The end, exclusive: as `from_date`. A date is its last instant.", "2021-04-17", (text) =>
        endOf(text, zone),
      ),
    })
    .refine(({ from_date: from, to_date: to }) => from === undefined || to === undefined || from < to, {
      path: ["to_date"],
      error: "is not after from_date; swap them",
    });

/** The event filter of a query, normalised: equivalent queries return equal filters. */
export function filterOf(
  { affecting, recorded_by, from_date, to_date, ...query }: z.output<ReturnType<typeof eventQuery>>,
  targets: ChangeTargets,
): EventFilter {
  const { component, environment, email, message, feature, key, type, origin, via } = query;
  const all = {
    component,
    environment,
    email,
    recordedBy: recorded_by,
    message,
    feature,
    key,
    type,
    origin,
    via,
    affecting: affecting === undefined ? undefined : targets.affecting(affecting),
    from: from_date,
    to: to_date,
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}
