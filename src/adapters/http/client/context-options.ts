import { RE2JS } from "re2js";
import { z } from "zod";
import { isCredentialName } from "../../../infrastructure/credential-name.ts";
import { isNetwork } from "../../../infrastructure/ip-networks.ts";
import { headerName } from "../../../infrastructure/location/header-name.ts";

const namedNetworks = ["loopback", "linklocal", "uniquelocal"];

const isProxy = (text: string): boolean => namedNetworks.includes(text) || isNetwork(text);

const queryName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/, "invalid parameter name (expected letters, digits, _ . and -)")
  .refine((text) => !takenByTidegate.includes(text), {
    error: ({ input }) => `"${input}" has another meaning in /features (choose another name)`,
  })
  .refine((text) => !isCredentialName(text), {
    error: ({ input }) => `"${input}" names a credential, which must not be in a URL (choose another name)`,
  });
/** Other query parameters of `/features`; attributes cannot use these names. */
const takenByTidegate = ["location", "at", "user", "explain"];

/** A pattern in RE2 syntax that must match the whole text. RE2 matches in time linear in the text. */
const pattern = z.string().transform((text, context) => {
  try {
    return RE2JS.compile(`^(?:${text})$`);
  } catch (fault) {
    const why = fault instanceof Error ? fault.message : String(fault);
    context.addIssue(`invalid pattern: ${why} (expected an RE2 regular expression)`);
    return z.NEVER;
  }
});

/** An entry of `context.attributes`. */
const attribute = z
  .strictObject({
    query: queryName.optional().describe("The query parameter that gives it."),
    header: headerName.optional().describe("The header that gives it, where the query does not."),
    type: z.enum(["string", "number", "boolean"]).default("string").describe("What it is read as."),
    pattern: pattern
      .optional()
      .describe(
        "Of a text: what it has to match as a whole (a regular expression of RE2); another is refused with 400.",
      ),
  })
  .refine(({ query, header }) => query !== undefined || header !== undefined, {
    error: "missing origin (name a query parameter or a header)",
  })
  .refine(({ type, pattern: given }) => type === "string" || given === undefined, {
    path: ["pattern"],
    error: "valid for strings only (omit it, or set type: string)",
  });

const attributeName = z
  .string()
  .regex(
    /^[A-Za-z][A-Za-z0-9_]{0,63}$/,
    "invalid name (expected up to 64 letters, digits and _, starting with a letter)",
  )
  .refine((name) => !contextFields.includes(name), {
    error: ({ input }) => `"${input}" is a built-in field (choose another name)`,
  });
/** Context fields that rules read besides attributes; attributes cannot use these names. */
export const contextFields: readonly string[] = ["userId", "targetingKey", "location", "locations", "ip", "at"];

/** Schema of the configuration section `context`. */
export const context = z.strictObject({
  trustedProxies: z
    .array(
      z.string().refine(isProxy, {
        error: "invalid address (expected loopback, linklocal, uniquelocal, or an address with optional /bits)",
      }),
    )
    .default([])
    .describe(
      "Proxies whose `X-Forwarded-For` (or else `Forwarded`) gives the client's address, and whose headers may give a location: `loopback`, `linklocal`, `uniquelocal`, addresses, or networks as in 10.0.0.0/8.",
    ),
  clientId: z
    .strictObject({
      header: headerName.default("Tidegate-Client-Id").describe("The header that a client sends its id in."),
      cookie: z
        .string()
        .regex(/^[A-Za-z0-9_-]{1,64}$/, "invalid cookie name (expected letters, digits, _ and -)")
        .optional()
        .describe("The cookie that holds it where the header is not there; left out, cookies are not looked at."),
      issue: z
        .boolean()
        .default(true)
        .describe(
          "Whether a client without an id gets one, in the header of the answer and in the cookie, if there is one.",
        ),
    })
    .default({ header: "Tidegate-Client-Id", issue: false })
    .describe(
      "By what clients without a token are told apart for percentages. Left out, they may bring an id in `Tidegate-Client-Id`, and get none.",
    ),
  attributes: z
    .union([z.literal("any"), z.record(attributeName, attribute)])
    .default({})
    .describe(
      "Attributes that rules may use, and where requests have them. `any`: every field of the context in an OFREP body is one, as it is. All are claims of the client.",
    ),
});

export type ContextOptions = z.output<typeof context>;
