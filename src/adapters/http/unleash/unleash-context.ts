import { z } from "@hono/zod-openapi";
import { InvalidContext } from "../../../domain/errors.ts";
import type { Json } from "../../../domain/evaluation/feature.ts";

/** The context of an Unleash client. All of it is claimed. */
export type UnleashContext = {
  readonly userId?: string | undefined;
  readonly sessionId?: string | undefined;
  readonly remoteAddress?: string | undefined;
  /** `properties`, and the fields that Unleash does not define. */
  readonly fields: Readonly<Record<string, Json>>;
};

/** Apps send ids as numbers too, and `null` or an empty text for no user. */
const id = z.union([z.string(), z.number()]).nullish();

/** Body of an evaluation by POST. */
export const UnleashRequest = z
  .object({
    context: z
      .looseObject({
        userId: id.describe("With a client token: the token's user, or absent. Otherwise a claim."),
        sessionId: id.describe("The id for percentages if there is no user."),
        remoteAddress: z
          .string()
          .nullish()
          .describe("The address of the client. Read only if a trusted proxy sends it."),
        properties: z.record(z.string(), z.unknown()).nullish(),
      })
      .default({}),
  })
  .openapi("UnleashRequest", {
    example: { context: { userId: "7", sessionId: "42", properties: { plan: "gold" } } },
  });

type UnleashContextBody = z.output<typeof UnleashRequest>["context"];

/** The context of a body. */
export function contextOf({
  userId,
  sessionId,
  remoteAddress,
  // Clients cannot set the clock.
  currentTime: _,
  properties,
  ...others
}: UnleashContextBody): UnleashContext {
  const entries = Object.entries({ ...others, ...properties }).filter(([, value]) => value !== null);
  return {
    userId: idText(userId),
    sessionId: idText(sessionId),
    remoteAddress: remoteAddress || undefined,
    fields: Object.fromEntries(entries) as Readonly<Record<string, Json>>,
  };
}

const idText = (value: string | number | null | undefined): string | undefined => `${value ?? ""}` || undefined;

/**
 * The context in the query of a URL: `userId`, `sessionId`, `remoteAddress`, and properties as `properties[name]`.
 * Throws `InvalidContext` for a repeated parameter.
 */
export function contextIn(url: string): UnleashContext {
  const fields = new Map<string, string>();
  const properties = new Map<string, string>();
  for (const [name, value] of new URL(url).searchParams) {
    const [, property] = /^properties\[(.+)\]$/.exec(name) ?? [];
    const target = property === undefined ? fields : properties;
    const key = property ?? name;
    if (target.has(key)) {
      throw new InvalidContext(`The parameter ${JSON.stringify(name.slice(0, 100))} is repeated. Send it once.`);
    }
    target.set(key, value);
  }
  // Unleash has no parameter of this name; it would replace the properties.
  fields.delete("properties");
  return contextOf({ ...Object.fromEntries(fields), properties: Object.fromEntries(properties) });
}
