import { type OpenAPIHono, z } from "@hono/zod-openapi";
import type { FindUsers } from "../../../application/users/find-users.ts";
import { isValue, maxValueLength, valueRule } from "../../../domain/evaluation/key-template.ts";
import { maxTokenLength } from "../../../domain/evaluation/token.ts";
import { checkedRoute } from "../kit/checked-route.ts";
import { jsonContent } from "../kit/json-content.ts";
import type { Operators } from "../kit/operators.ts";
import { problemResponses } from "../kit/problem-responses.ts";
import { wholeNumber } from "../kit/query.ts";
import { uncached } from "../kit/response-headers.ts";

const defaultLimit = 20;

const Query = z.strictObject({
  prefix: z
    .string()
    .max(maxValueLength)
    .refine(isValue, `is invalid (expected ${valueRule})`)
    .optional()
    .openapi({ description: "The first characters of the user id. Default: all.", example: "u-48" }),
  limit: wholeNumber(1, 1_000).optional().describe(`Maximum number of users (default: ${defaultLimit}).`),
});

const UsersBody = z
  .object({
    users: z.array(
      z.object({
        userId: z.string(),
        features: z.int().nullable().describe("The number of features in the sets of the user. Null if unknown."),
      }),
    ),
    complete: z.boolean().describe("Whether these are all users with a set that match."),
  })
  .openapi("FoundUsers", { example: { users: [{ userId: "u-48213", features: 3 }], complete: true } });

const TokenBody = z
  .strictObject({ token: z.string().min(1).max(maxTokenLength).openapi({ example: "a-token-of-your-own" }) })
  .openapi("TokenOfUser");

const OwnerBody = z.object({ userId: z.string().nullable().describe("Null if the token is unknown.") });

/** `GET /admin/v1/users` and `POST /admin/v1/users/find`: find users by their ids or by a token. */
export function userSearchRoutes(app: OpenAPIHono, operators: Operators, users: FindUsers) {
  const search = checkedRoute(
    app,
    {
      method: "get",
      path: "/admin/v1/users",
      summary: "Find users by the beginning of their ids",
      description:
        "Tidegate has no list of users: finds those that have a set of their own. In a store with more than 20,000 keys (Redis) or 100,000 memberships (SQLite), reads a limited number of keys, and returns some of the users in no particular selection.",
      tags: ["Admin"],
      ...operators.atLeast("viewer"),
      query: Query,
      responses: {
        200: { description: "The users, sorted by id.", content: jsonContent(UsersBody) },
        ...problemResponses("unauthenticated", "invalid-query", "source-unavailable"),
      },
    },
    async (c, { query: { prefix = "", limit = defaultLimit } }) => {
      const { users: found, complete } = await users.search(prefix, limit);
      const shown = found.map(({ userId, features = null }) => ({ userId, features }));
      return c.json({ users: shown, complete }, 200, uncached);
    },
  );

  const ofToken = checkedRoute(
    app,
    {
      method: "post",
      path: "/admin/v1/users/find",
      summary: "Find the user of a token",
      description: "The token is neither logged nor returned. Changes nothing.",
      tags: ["Admin"],
      ...operators.atLeast("viewer"),
      body: TokenBody,
      responses: {
        200: { description: "The user.", content: jsonContent(OwnerBody) },
        ...problemResponses("unauthenticated", "invalid-query", "validation-failed", "source-unavailable"),
      },
    },
    async (c, { body: { token } }) => c.json({ userId: (await users.ofToken(token)) ?? null }, 200, uncached),
  );

  return [search, ofToken] as const;
}
