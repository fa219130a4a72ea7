import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { bodyOf, v1 } from "../api/client.ts";

/** A text of this shape is taken for a token, and does not become a part of a URL. */
const tokenShape = /^[\w.~+/-]{20,}=*$/;
const maxSuggestions = "12";

/** Whom a text means: the user of a token, or the id itself. `isToken` if it is one, or looks like one. */
export type LookedUp = { readonly userId: string | undefined; readonly isToken: boolean };

/** Asks, in a body, whether a text is a token. Every other text is a user id, unless it looks like a token. */
export async function lookUp(text: string): Promise<LookedUp> {
  const { userId } = await bodyOf(v1.users.find.$post({ json: { token: text } }));
  if (userId !== null) return { userId, isToken: true };
  return tokenShape.test(text) ? { userId: undefined, isToken: true } : { userId: text, isToken: false };
}

/** Users with an own set whose id begins so. Texts that may be tokens are not asked for: a query is in a URL. */
export const usersWith = (prefix: string) =>
  queryOptions({
    queryKey: ["users", prefix],
    queryFn: async () => (await bodyOf(v1.users.$get({ query: { prefix, limit: maxSuggestions } }))).users,
    enabled: prefix !== "" && !tokenShape.test(prefix),
    placeholderData: keepPreviousData,
  });
