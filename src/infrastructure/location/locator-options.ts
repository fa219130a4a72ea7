import { z } from "zod";
import { KeyTemplate } from "../../domain/evaluation/key-template.ts";
import { isPlace, mostLevels } from "../../domain/evaluation/location.ts";
import { headerName } from "./header-name.ts";

const degrees = (most: number) => z.coerce.number().min(-most).max(most);
const point = { latitude: degrees(90), longitude: degrees(180) };

const area = z
  .strictObject({
    name: z
      .string()
      .refine(
        isPlace,
        `invalid location name (expected 1 to 200 printable characters in at most ${mostLevels} levels, for example es/madrid)`,
      )
      .describe("What callers in the area are located as; `es/madrid` is part of `es`."),
    circle: z
      .strictObject({ ...point, radiusKm: z.coerce.number().min(0.001).max(20_040) })
      .optional()
      .describe("All that is so far from a point, in kilometers."),
    polygon: z
      .array(z.strictObject(point))
      .min(3)
      .optional()
      .describe("All between these corners. It cannot reach over the 180th meridian; make two areas of one that does."),
  })
  .refine(
    ({ circle, polygon }) => (circle === undefined) !== (polygon === undefined),
    "invalid area (expected either a circle or a polygon)",
  );

const locator = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("query") }).describe("The query parameter `location`."),
  z
    .strictObject({
      kind: z.literal("header"),
      header: headerName.describe(
        "The header that holds the name of a place or the code of a country, as `CF-IPCountry`.",
      ),
    })
    .describe("A header that a proxy sets."),
  z
    .strictObject({
      kind: z.literal("geoip"),
      database: z
        .string()
        .min(1)
        .optional()
        .describe(
          "A MaxMind database (.mmdb) of countries or cities. Left out, the one of countries that comes with Tidegate.",
        ),
    })
    .describe("A guess by the address of the client: its country as `es`, or its city as `es/madrid`."),
  z
    .strictObject({
      kind: z.literal("areas"),
      areas: z.array(area).min(1).describe("A caller is in all that hold its point."),
      query: z
        .strictObject({ latitude: z.string().min(1), longitude: z.string().min(1) })
        .default({ latitude: "latitude", longitude: "longitude" })
        .describe("The parameters of the query that hold the caller's point, in degrees."),
      headers: z
        .strictObject({ latitude: headerName, longitude: headerName })
        .optional()
        .describe("Headers that hold it where the query does not, as a proxy sets them."),
    })
    .describe("The areas that the caller's point is in."),
  z
    .strictObject({
      kind: z.literal("user"),
      connection: z.string().min(1).describe("The connection to the store that holds the places of users."),
      key: z
        .string()
        .default("location:user:{userId}")
        .transform((text, context) => {
          const template = KeyTemplate.parse(text);
          if (template instanceof KeyTemplate && template.fields.join() === "userId") return template;
          context.addIssue(
            typeof template === "string"
              ? template
              : "invalid key (expected the single field userId, for example location:user:{userId})",
          );
          return z.NEVER;
        })
        .describe("The key of a user's place: the name as a string in Redis, or a set of names."),
    })
    .describe("The stored place of the token's user."),
]);

/** The section `locators`. */
export const locators = z
  .array(locator)
  .min(1)
  .default([{ kind: "query" }])
  .describe(
    "Locators, in order of precedence. The first match is the location. Default: the query parameter `location`.",
  );

/** A configured locator. */
export type LocatorOptions = z.output<typeof locator>;
export type AreaOptions = Omit<Extract<LocatorOptions, { kind: "areas" }>, "kind">;
/** Contains a circle or a polygon. */
export type Area = z.output<typeof area>;
/** The names of a point's two coordinates. */
export type CoordinateNames = AreaOptions["query"];
