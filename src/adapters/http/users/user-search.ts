import { z } from "@hono/zod-openapi";
import type { FindUsers } from "../../../application/users/find-users.ts";
import { isValue, maxValueLength, valueRule } from "../../../domain/evaluation/key-template.ts";
import { maxTokenLength } from "../../../domain/evaluation/token.ts";
import { jsonResponse } from "../routing/json-content.ts";
import type { OperatorRoutes } from "../routing/operator-routes.ts";
import { wholeNumber } from "../routing/query.ts";

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
export function userSearchRoutes(routes: OperatorRoutes, { findUsers }: { readonly findUsers: FindUsers }) {
  const search = routes.add(
    {
      method: "get",
      path: "/admin/v1/users",
      summary: "Find users by the beginning of their ids",
      description:
        "Tidegate has no list of users: finds those that have a set of their own. In a store with more than 20,000 keys (Redis) or 100,000 memberships (SQLite), reads a limited number of keys, and returns some of the users in no particular selection.",
      tags: ["Admin"],
      scope: "viewer",
      query: Query,
      responses: { 200: jsonResponse("The users, sorted by id.", UsersBody) },
      problems: ["source-unavailable"],
    },
    async (_, { query: { prefix = "", limit = defaultLimit } }) => {
      const { users: found, complete } = await findUsers.search(prefix, limit);
      const shown = found.map(({ userId, features = null }) => ({ userId, features }));
      return { users: shown, complete };
    },
  );

  const ofToken = routes.add(
    {
      method: "post",
      path: "/admin/v1/users/find",
      summary: "Find the user of a token",
      description: "The token is neither logged nor returned. Changes nothing.",
      tags: ["Admin"],
      scope: "viewer",
      body: TokenBody,
      responses: { 200: jsonResponse("The user.", OwnerBody) },
      problems: ["validation-failed", "source-unavailable"],
    },
    async (_, { body: { token } }) => ({ userId: (await findUsers.ofToken(token)) ?? null }),
  );

  return [search, ofToken] as const;
}
