import { z } from "zod";

const header = z
  .string()
  .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, "is no name of a header; write one as in CF-IPCountry");

const locator = z.discriminatedUnion("kind", [
  z
    .strictObject({ kind: z.literal("caller") })
    .describe("What the caller says: the parameter `location` of the query."),
  z
    .strictObject({
      kind: z.literal("header"),
      header: header.describe("The header that holds the name of a place or the code of a country, as `CF-IPCountry`."),
    })
    .describe("A header that a proxy sets."),
]);

/** The section `location`. */
export const location = z
  .array(locator)
  .min(1)
  .default([{ kind: "caller" }])
  .describe(
    "The ways to find out where a caller is, in the order of their precedence: the first that can tell is believed. Left out, only what the caller says.",
  );

/** One of the ways, as configured. */
export type LocatorOptions = z.output<typeof locator>;
