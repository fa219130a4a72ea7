import { z } from "zod";
import { KeyTemplate } from "../../domain/evaluation/key-template.ts";
import { isLocationName, maxLevels } from "../../domain/evaluation/location.ts";
import { headerName } from "./header-name.ts";

const degrees = (max: number) => z.coerce.number().min(-max).max(max);
const point = { latitude: degrees(90), longitude: degrees(180) };

const area = z
  .strictObject({
    name: z
      .string()
      .refine(
        isLocationName,
        `invalid location name (expected 1 to 200 printable characters in at most ${maxLevels} levels, for example es/madrid)`,
      )
      .describe("The location of callers in the area; `es/madrid` is part of `es`."),
    circle: z
      .strictObject({ ...point, radiusKm: z.coerce.number().min(0.001).max(20_040) })
      .optional()
      .describe("All points within a radius, in kilometers."),
    polygon: z
      .array(z.strictObject(point))
      .min(3)
      .optional()
      .describe("All points between these corners. Split an area that crosses the 180th meridian."),
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
      header: headerName.describe("The header with a location name or a country code, for example `CF-IPCountry`."),
    })
    .describe("A header that a proxy sets."),
  z
    .strictObject({
      kind: z.literal("geoip"),
      database: z
        .string()
        .min(1)
        .optional()
        .describe("A MaxMind database (.mmdb) of countries or cities. Default: the bundled database of countries."),
    })
    .describe("The country of the client's address, for example `es`, or its city, for example `es/madrid`."),
  z
    .strictObject({
      kind: z.literal("areas"),
      areas: z.array(area).min(1).describe("Areas. A caller is in each area that contains its point."),
      query: z
        .strictObject({ latitude: z.string().min(1), longitude: z.string().min(1) })
        .default({ latitude: "latitude", longitude: "longitude" })
        .describe("Query parameters with the caller's point, in degrees."),
      headers: z
        .strictObject({ latitude: headerName, longitude: headerName })
        .optional()
        .describe("Headers of a proxy with the point, used if the query has none."),
    })
    .describe("The areas that contain the caller's point."),
  z
    .strictObject({
      kind: z.literal("user"),
      connection: z.string().min(1).describe("The connection with the locations of users."),
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
        .describe("The key of a user's location: a string in Redis, or a set of names."),
    })
    .describe("The stored location of the token's user."),
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
