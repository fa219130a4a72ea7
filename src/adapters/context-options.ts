import { RE2JS } from "re2js";
import { z } from "zod";
import { errorMessage } from "../domain/error-message.ts";
import { isNetwork } from "../infrastructure/ip-networks.ts";
import { headerName } from "../infrastructure/location/header-name.ts";
import { isCredentialName } from "./credential-name.ts";

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
const takenByTidegate = ["location", "at", "user", "detail", "explain"];

/** A pattern in RE2 syntax that must match the whole text. RE2 matches in time linear in the text. */
const pattern = z.string().transform((text, context) => {
  try {
    return RE2JS.compile(`^(?:${text})$`);
  } catch (fault) {
    const why = errorMessage(fault);
    context.addIssue(`invalid pattern: ${why} (expected an RE2 regular expression)`);
    return z.NEVER;
  }
});

/** An entry of `context.attributes`. */
const attribute = z
  .strictObject({
    query: queryName.optional().describe("Query parameter of the attribute."),
    header: headerName.optional().describe("Header of the attribute, used if the query parameter is absent."),
    type: z.enum(["string", "number", "boolean"]).default("string").describe("Type of the value."),
    pattern: pattern
      .optional()
      .describe("For strings: an RE2 regular expression for the whole value. Other values return 400."),
  })
  .refine(({ query, header }) => query !== undefined || header !== undefined, {
    error: "missing origin (name a query parameter or a header)",
  })
  .refine(({ type, pattern: input }) => type === "string" || input === undefined, {
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
      header: headerName.default("Tidegate-Client-Id").describe("The header with the client id."),
      cookie: z
        .string()
        .regex(/^[A-Za-z0-9_-]{1,64}$/, "invalid cookie name (expected letters, digits, _ and -)")
        .optional()
        .describe("The cookie with the client id, used if the header is absent. Default: no cookie."),
      issue: z
        .boolean()
        .default(true)
        .describe("Whether a client without an id gets one, in the response header and in the cookie, if configured."),
    })
    .default({ header: "Tidegate-Client-Id", issue: false })
    .describe(
      "Client ids, the targeting key of clients without a token. Default: the header `Tidegate-Client-Id`, and no ids are issued.",
    ),
  attributes: z
    .union([z.literal("any"), z.record(attributeName, attribute)])
    .default({})
    .describe(
      "Attributes that rules may use, and where requests have them. `any`: every field of the context in an OFREP body is one, as it is. All are claims of the client.",
    ),
});

export type ContextOptions = z.output<typeof context>;
