import { randomBytes } from "node:crypto";
import { type OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { ManageTokens } from "../../../application/admin/manage-tokens.ts";
import type { ViewUser } from "../../../application/admin/view-user.ts";
import type { IdempotencyKeys } from "../../../domain/admin/idempotency-keys.ts";
import type { TokenInfo } from "../../../domain/admin/token-store.ts";
import { longestToken } from "../../../domain/evaluation/token.ts";
import { checkedRoute } from "../kit/checked-route.ts";
import { HttpProblem } from "../kit/http-problem.ts";
import { idempotencyKeyParameter } from "../kit/idempotency-key.ts";
import { jsonContent } from "../kit/json-content.ts";
import type { Operators } from "../kit/operators.ts";
import { problemResponses } from "../kit/problem-responses.ts";
import { uncached } from "../kit/response-headers.ts";
import {
  bodyIfAny,
  ChangeQuery,
  changeAuthor,
  changeProblems,
  demandNoBody,
  demandNoIfMatch,
} from "./change-request.ts";
import { SetBody, shownSet } from "./sources.ts";

const tokenBytes = 32;

const TokenBody = z
  .object({
    id: z.string(),
    issuedAt: z.iso.datetime(),
    by: z.string().openapi({ description: "The credential that it was issued with." }),
  })
  .openapi("TokenInfo", {
    example: { id: "019aa5c1-8c1e-7f3a-9d43-5a1f6f0c2b11", issuedAt: "2026-11-21T09:00:42.800Z", by: "admin" },
  });

const UserBody = z
  .object({
    userId: z.string(),
    sets: z.array(SetBody).openapi({ description: "What the user has of their own, by source." }),
    effective: z
      .object({
        features: z.array(z.string()).readonly(),
        missing: z
          .array(z.string())
          .readonly()
          .openapi({ description: "Sources that cannot answer, and were left out." }),
      })
      .openapi({ description: "What the user gets now." }),
    tokens: z.array(TokenBody).openapi({ description: "Those that were issued here, oldest first." }),
  })
  .openapi("User");

const LocationQuery = z.strictObject({
  location: z.string().max(200).optional().openapi({ description: "Where the user is.", example: "madrid" }),
});

const token = z.string().min(1).max(longestToken).openapi({
  description: "Without control characters. One that is no `b64token` (RFC 6750) works by Basic only.",
  example: "a-token-of-your-own",
});
const NewToken = z.strictObject({ token: token.optional() }).openapi("NewToken");
const PresentedToken = z.strictObject({ token }).openapi("PresentedToken");

const userParameter = {
  name: "userId",
  in: "path",
  required: true,
  description: "The user id, percent-encoded.",
  schema: { type: "string" },
  example: "1",
} as const;
const tokenIdParameter = {
  name: "tokenId",
  in: "path",
  required: true,
  description: "The id of the token, which is not the token.",
  schema: { type: "string" },
  example: "019aa5c1-8c1e-7f3a-9d43-5a1f6f0c2b11",
} as const;

const tokenProblems = [...changeProblems, "payload-too-large", "store-full"] as const;
const noRevision = "tokens are issued and revoked, and not changed";

/** `/admin/v1/users/{userId}`, its tokens, and `/admin/v1/tokens/revoke`. */
export function userRoutes(
  app: OpenAPIHono,
  operators: Operators,
  viewUser: ViewUser,
  tokens: ManageTokens,
  claims: IdempotencyKeys | undefined,
): void {
  checkedRoute(
    app,
    {
      method: "get",
      path: "/admin/v1/users/{userId}",
      summary: "What a user has, gets, and presents",
      description: "Nobody keeps a list of users: one who is not known has nothing, and gets what everyone gets.",
      tags: ["Admin"],
      ...operators.atLeast("viewer"),
      parameters: [userParameter],
      query: LocationQuery,
      responses: {
        200: { description: "The user.", content: jsonContent(UserBody) },
        ...problemResponses("unauthenticated", "invalid-query", "validation-failed", "source-unavailable"),
      },
    },
    async (c, { query: { location } }) => {
      const userId = userIn(c);
      const { sets, effective, tokens: issued } = await viewUser.view(userId, location);
      const shown = {
        sets: sets.map(({ source, ...set }) => shownSet(source, set)),
        effective,
        tokens: issued.map(shownToken),
      };
      return c.json({ userId, ...shown }, 200, uncached);
    },
  );

  checkedRoute(
    app,
    {
      method: "get",
      path: "/admin/v1/users/{userId}/tokens",
      summary: "The tokens that were issued for a user",
      description:
        "By their ids; nobody is told a token again. Those that others wrote to the store are not among them.",
      tags: ["Admin"],
      ...operators.atLeast("viewer"),
      parameters: [userParameter],
      responses: {
        200: { description: "Oldest first.", content: jsonContent(z.object({ tokens: z.array(TokenBody) })) },
        ...problemResponses("unauthenticated", "invalid-query", "validation-failed", "source-unavailable"),
      },
    },
    async (c) => c.json({ tokens: (await tokens.list(userIn(c))).map(shownToken) }, 200, uncached),
  );

  checkedRoute(
    app,
    {
      method: "post",
      path: "/admin/v1/users/{userId}/tokens",
      summary: "Issue a token for a user",
      description:
        "Without a body, or without `token` in it, one of 32 random bytes is made. This answer is the only one that tells it; so with an Idempotency-Key, send a token of your own making.",
      tags: ["Admin"],
      ...operators.atLeast("admin"),
      parameters: [userParameter, idempotencyKeyParameter],
      query: ChangeQuery,
      responses: {
        201: {
          description: "It speaks for the user from now on.",
          content: jsonContent(
            z.object({
              id: z.string(),
              userId: z.string(),
              token: z.string(),
              before: z.string().nullable().openapi({ description: "Whom the token spoke for before." }),
            }),
          ),
        },
        ...problemResponses(...tokenProblems),
      },
    },
    async (c, { query }) => {
      demandNoIfMatch(c, noRevision);
      const body = await bodyIfAny(c, NewToken);
      if (body.token === undefined && c.req.header("idempotency-key") !== undefined) {
        throw new HttpProblem(
          "validation-failed",
          "A token that is made here is told only once, so the same answer could not be given again; with an Idempotency-Key, send the token.",
        );
      }
      const author = await changeAuthor(c, claims, { query, body, isSecret: true });
      const issued = body.token ?? randomBytes(tokenBytes).toString("base64url");
      const userId = userIn(c);
      const { tokenId, before } = await tokens.assign(issued, userId, author);
      return c.json({ id: tokenId, userId, token: issued, before: before ?? null }, 201, uncached);
    },
  );

  checkedRoute(
    app,
    {
      method: "delete",
      path: "/admin/v1/users/{userId}/tokens/{tokenId}",
      summary: "Revoke a token of a user, by its id",
      tags: ["Admin"],
      ...operators.atLeast("admin"),
      parameters: [userParameter, tokenIdParameter, idempotencyKeyParameter],
      query: ChangeQuery,
      responses: {
        200: {
          description: "It is unknown from now on.",
          content: jsonContent(z.object({ revoked: z.boolean().openapi({ description: "Whether the user had it." }) })),
        },
        ...problemResponses(...tokenProblems),
      },
    },
    async (c, { query }) => {
      demandNoIfMatch(c, noRevision);
      await demandNoBody(c);
      const author = await changeAuthor(c, claims, { query });
      const revoked = await tokens.revokeById(c.req.param("tokenId") ?? "", userIn(c), author);
      return c.json({ revoked }, 200, uncached);
    },
  );

  checkedRoute(
    app,
    {
      method: "post",
      path: "/admin/v1/tokens/revoke",
      summary: "Revoke a token by presenting it",
      description: "Also one that was not issued here.",
      tags: ["Admin"],
      ...operators.atLeast("admin"),
      parameters: [idempotencyKeyParameter],
      query: ChangeQuery,
      body: PresentedToken,
      responses: {
        200: {
          description: "It is unknown from now on.",
          content: jsonContent(
            z.object({
              revoked: z.boolean().openapi({ description: "Whether anybody was known by it." }),
              userId: z.string().nullable().openapi({ description: "Whom it spoke for." }),
            }),
          ),
        },
        ...problemResponses(...tokenProblems),
      },
    },
    async (c, { query, body }) => {
      demandNoIfMatch(c, noRevision);
      const author = await changeAuthor(c, claims, { query, body, isSecret: true });
      const userId = await tokens.revoke(body.token, author);
      return c.json({ revoked: userId !== undefined, userId: userId ?? null }, 200, uncached);
    },
  );
}

const userIn = (c: Context): string => c.req.param("userId") ?? "";

const shownToken = ({ id, issuedAt, by }: TokenInfo) => ({ id, issuedAt: new Date(issuedAt).toISOString(), by });
