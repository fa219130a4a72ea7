import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { bodyOf, v1 } from "../api/client.ts";

/** A text of this shape may be a token, and must not become a part of a URL. */
const tokenShape = /^[\w.~+/-]{20,}=*$/;
const maxSuggestions = "12";

/**
 * The user of a text: of a token, or the id itself. A text that looks like a token is sent in a body first. Returns
 * `undefined` if it looks like one and is unknown.
 */
export async function userIn(text: string): Promise<string | undefined> {
  if (!tokenShape.test(text)) return text;
  const { userId } = await bodyOf(v1.users.find.$post({ json: { token: text } }));
  return userId ?? undefined;
}

/** Users with an own set whose id begins so. Texts that may be tokens are not asked for: a query is in a URL. */
export const usersWith = (prefix: string) =>
  queryOptions({
    queryKey: ["users", prefix],
    queryFn: async () => (await bodyOf(v1.users.$get({ query: { prefix, limit: maxSuggestions } }))).users,
    enabled: prefix !== "" && !tokenShape.test(prefix),
    placeholderData: keepPreviousData,
  });
