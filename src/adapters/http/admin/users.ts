import { randomBytes } from "node:crypto";
import { z } from "@hono/zod-openapi";
import type { ManageTokens } from "../../../application/admin/manage-tokens.ts";
import type { ViewUser } from "../../../application/users/view-user.ts";
import type { IdempotencyKeys } from "../../../domain/admin/idempotency-keys.ts";
import type { TokenInfo } from "../../../domain/admin/token-store.ts";
import { instantText } from "../../../domain/evaluation/evaluation-context.ts";
import { maxTokenLength } from "../../../domain/evaluation/token.ts";
import { HttpProblem } from "../problems/http-problem.ts";
import { uncached } from "../response-headers.ts";
import { ChangeQuery, changeProblems, claimedOptions, rejectBody, rejectIfMatch } from "../routing/change-request.ts";
import { idempotencyKeyParameter } from "../routing/idempotency-key.ts";
import { jsonResponse } from "../routing/json-content.ts";
import type { OperatorRoutes } from "../routing/operator-routes.ts";
import { pathParameter, userIn, userParameter } from "../routing/path-parameters.ts";
import { SetBody, setJson } from "./sources.ts";

const tokenBytes = 32;

const TokenBody = z
  .object({
    id: z.string(),
    issuedAt: z.iso.datetime(),
    by: z.string().describe("The credential that issued the token."),
  })
  .openapi("TokenInfo", {
    example: { id: "019aa5c1-8c1e-7f3a-9d43-5a1f6f0c2b11", issuedAt: "2026-11-21T09:00:42.800Z", by: "admin" },
  });

const UserBody = z
  .object({
    userId: z.string(),
    sets: z.array(SetBody).describe("The sets of the user, by source."),
    effective: z
      .object({
        features: z.array(z.string()).readonly(),
        missing: z.array(z.string()).readonly().describe("Sources that were unavailable and skipped."),
      })
      .describe("The features that are on for the user now."),
    tokens: z.array(TokenBody).describe("The tokens that Tidegate issued, oldest first."),
  })
  .openapi("User");

const LocationQuery = z.strictObject({
  location: z.string().max(200).optional().openapi({ description: "The location of the user.", example: "madrid" }),
});

const token = z.string().min(1).max(maxTokenLength).openapi({
  description: "No control characters. A token that is not a `b64token` (RFC 6750) works with Basic only.",
  example: "a-token-of-your-own",
});
const NewToken = z.strictObject({ token: token.optional() }).openapi("NewToken");
const PresentedToken = z.strictObject({ token }).openapi("PresentedToken");

const tokenIdParameter = pathParameter(
  "tokenId",
  "The id of the token, not the token itself.",
  "019aa5c1-8c1e-7f3a-9d43-5a1f6f0c2b11",
);

const tokenProblems = [...changeProblems, "store-full"] as const;
const noRevision = "tokens have no revision";

/** `/admin/v1/users/{userId}`, its tokens, and `/admin/v1/tokens/revoke`. */
export function userRoutes(
  routes: OperatorRoutes,
  {
    viewUser,
    manageTokens: tokens,
    idempotencyKeys,
  }: {
    readonly viewUser: ViewUser;
    readonly manageTokens: ManageTokens;
    readonly idempotencyKeys: IdempotencyKeys | undefined;
  },
) {
  const view = routes.add(
    {
      method: "get",
      path: "/admin/v1/users/{userId}",
      summary: "Get a user's features and tokens",
      description: "Tidegate has no list of users. An unknown user has empty sets and gets the features for everyone.",
      tags: ["Admin"],
      scope: "viewer",
      parameters: [userParameter],
      query: LocationQuery,
      responses: { 200: jsonResponse("The user.", UserBody) },
      problems: ["validation-failed", "source-unavailable"],
    },
    async (c, { query: { location } }) => {
      const userId = userIn(c);
      const { sets, effective, tokens: issued } = await viewUser(userId, location);
      const shown = {
        sets: sets.map(({ source, ...set }) => setJson(source, set)),
        effective,
        tokens: issued.map(tokenJson),
      };
      return { userId, ...shown };
    },
  );

  const list = routes.add(
    {
      method: "get",
      path: "/admin/v1/users/{userId}/tokens",
      summary: "List the tokens of a user",
      description: "Lists ids, never tokens. Tokens that were written to the store outside Tidegate are not listed.",
      tags: ["Admin"],
      scope: "viewer",
      parameters: [userParameter],
      responses: { 200: jsonResponse("The tokens, oldest first.", z.object({ tokens: z.array(TokenBody) })) },
      problems: ["validation-failed", "source-unavailable"],
    },
    async (c) => ({ tokens: (await tokens.list(userIn(c))).map(tokenJson) }),
  );

  const issue = routes.add(
    {
      method: "post",
      path: "/admin/v1/users/{userId}/tokens",
      summary: "Issue a token",
      description:
        "Without `token` in the body, generates a token of 32 random bytes. Only this response contains it, so a request with an Idempotency-Key must send the token.",
      tags: ["Admin"],
      scope: "admin",
      parameters: [userParameter, idempotencyKeyParameter],
      query: ChangeQuery,
      body: NewToken,
      isBodyOptional: true,
      responses: {
        201: jsonResponse(
          "The token, which now belongs to the user.",
          z.object({
            id: z.string(),
            userId: z.string(),
            token: z.string(),
            previousUserId: z.string().nullable().describe("The previous user of the token."),
          }),
        ),
      },
      problems: [...tokenProblems],
    },
    async (c, { query, body }) => {
      rejectIfMatch(c, noRevision);
      if (body.token === undefined && c.req.header("idempotency-key") !== undefined) {
        throw new HttpProblem(
          "validation-failed",
          "A generated token cannot be returned twice. Send the token, or omit the Idempotency-Key.",
        );
      }
      const options = await claimedOptions(c, idempotencyKeys, { query, body, isSecret: true });
      const issued = body.token ?? randomBytes(tokenBytes).toString("base64url");
      const userId = userIn(c);
      const { tokenId, before } = await tokens.assign(issued, userId, options);
      return c.json({ id: tokenId, userId, token: issued, previousUserId: before ?? null }, 201, uncached);
    },
  );

  const revokeById = routes.add(
    {
      method: "delete",
      path: "/admin/v1/users/{userId}/tokens/{tokenId}",
      summary: "Revoke a token by its id",
      tags: ["Admin"],
      scope: "admin",
      parameters: [userParameter, tokenIdParameter, idempotencyKeyParameter],
      query: ChangeQuery,
      responses: {
        200: jsonResponse(
          "The token is revoked.",
          z.object({ revoked: z.boolean().describe("Whether the token belonged to the user.") }),
        ),
      },
      problems: [...tokenProblems],
    },
    async (c, { query }) => {
      rejectIfMatch(c, noRevision);
      await rejectBody(c);
      const options = await claimedOptions(c, idempotencyKeys, { query });
      const revoked = await tokens.revokeById(c.req.param("tokenId") ?? "", userIn(c), options);
      return { revoked };
    },
  );

  const revoke = routes.add(
    {
      method: "post",
      path: "/admin/v1/tokens/revoke",
      summary: "Revoke a token by its value",
      description: "Also revokes tokens that were written to the store outside Tidegate.",
      tags: ["Admin"],
      scope: "admin",
      parameters: [idempotencyKeyParameter],
      query: ChangeQuery,
      body: PresentedToken,
      responses: {
        200: jsonResponse(
          "The token is revoked.",
          z.object({
            revoked: z.boolean().describe("Whether the token was known."),
            userId: z.string().nullable().describe("The user of the token."),
          }),
        ),
      },
      problems: [...tokenProblems],
    },
    async (c, { query, body }) => {
      rejectIfMatch(c, noRevision);
      const options = await claimedOptions(c, idempotencyKeys, { query, body, isSecret: true });
      const userId = await tokens.revoke(body.token, options);
      return { revoked: userId !== undefined, userId: userId ?? null };
    },
  );

  return [view, list, issue, revokeById, revoke];
}

const tokenJson = ({ id, issuedAt, by }: TokenInfo) => ({ id, issuedAt: instantText(issuedAt), by });
