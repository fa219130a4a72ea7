import type { InferRequestType } from "hono/client";
import type { v1 } from "../api/client.ts";
import { personOf } from "../routing/links.ts";
import type { QueryValues } from "../routing/location.ts";

export type ExplainRequest = NonNullable<InferRequestType<typeof v1.explain.$post>["json"]>;
type Attributes = Readonly<Record<string, string | number | boolean>>;

/** For whom and when features are evaluated: what the API takes to explain. */
export type PersonContext = {
  /** `undefined`: a caller without a token. */
  readonly user: string | undefined;
  readonly location: string | undefined;
  readonly attributes: Attributes;
  /** `undefined`: now. */
  readonly at: string | undefined;
};

const attributePrefix = "attr.";

/** The context in the URL of a person's page. */
export const contextIn = (user: string | undefined, query: URLSearchParams): PersonContext => ({
  user,
  location: query.get("location") ?? undefined,
  attributes: Object.fromEntries(
    [...query].flatMap(([name, value]) =>
      name.startsWith(attributePrefix) ? [[name.slice(attributePrefix.length), attributeValue(value)]] : [],
    ),
  ),
  at: query.get("mode") ? momentIn(query.get("at")) : undefined,
});

/** A moment of the URL; now if it is none, or no time at all. */
const momentIn = (text: string | null): string | undefined =>
  text !== null && /^\d{4}-/.test(text) && Number.isFinite(Date.parse(text)) ? text : undefined;

/** The second side of a comparison, from `with=user@time`: another user, another time, or both. */
export function otherContextIn(first: PersonContext, query: URLSearchParams): PersonContext {
  const given = query.get("with") ?? "@now";
  const split = given.lastIndexOf("@");
  const time = given.slice(split + 1);
  const hasTime = split !== -1 && (time === "now" || momentIn(time) !== undefined);
  const user = hasTime ? given.slice(0, split) : given;
  return {
    ...first,
    user: user === "" ? first.user : personOf(user),
    at: hasTime ? momentIn(time) : undefined,
  };
}

/** The query of a context with these attributes and location; values of before that are absent now are removed. */
export function contextQuery(before: PersonContext, location: string, attributes: Attributes): QueryValues {
  const removed = Object.keys(before.attributes).map((name) => [attributePrefix + name, undefined]);
  const given = Object.entries(attributes).map(([name, value]) => [attributePrefix + name, JSON.stringify(value)]);
  return { ...Object.fromEntries([...removed, ...given]), location: location || undefined };
}

/** The context as the API takes it. */
export const requestOf = ({ user, location, attributes, at }: PersonContext): ExplainRequest => ({
  ...(user !== undefined && { user }),
  ...(location !== undefined && { location }),
  ...(Object.keys(attributes).length > 0 && { attributes }),
  ...(at !== undefined && { at }),
});

/** Numbers and booleans are written as in JSON; everything else is text, with or without quotes. */
export function attributeValue(text: string): string | number | boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "number" || typeof value === "boolean" || typeof value === "string" ? value : text;
  } catch {
    return text;
  }
}
