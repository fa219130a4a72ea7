import { z } from "@hono/zod-openapi";
import type { FeatureHolders, Holders } from "../../../application/features/feature-holders.ts";
import { cursorOf, nextCursor, positionIn } from "../routing/cursor.ts";
import { jsonResponse } from "../routing/json-content.ts";
import type { OperatorRoutes } from "../routing/operator-routes.ts";
import { featureIn, innerFeatureParameter } from "../routing/path-parameters.ts";
import { wholeNumber } from "../routing/query.ts";

const defaultLimit = 100;

const Query = z.strictObject({
  source: z.string().optional().describe("The source with the sets. Default: the first with such sets."),
  limit: wholeNumber(1, 1_000).optional().describe(`Approximate length of a page (default: ${defaultLimit}).`),
  cursor: z.string().optional().describe("`next` of the previous page."),
});

const page = {
  source: z.string(),
  next: nextCursor,
  total: z.int().nullable().describe("Null if unknown."),
};
const UsersBody = z.object({ ...page, users: z.array(z.string()).readonly() }).openapi("FeatureUsers");
const LocationsBody = z.object({ ...page, locations: z.array(z.string()).readonly() }).openapi("FeatureLocations");

const problems = ["invalid-cursor", "unknown-source", "not-changeable", "source-unavailable"] as const;

/**
 * `GET /admin/v1/features/{feature}/users` and `/locations`: the users and locations that have a feature in an own set.
 */
export function holderRoutes(
  routes: OperatorRoutes,
  { featureHolders: holders }: { readonly featureHolders: FeatureHolders },
) {
  const users = routes.add(
    {
      method: "get",
      path: "/admin/v1/features/{feature}/users",
      summary: "List the users of a feature",
      description:
        "Lists the users that have the feature in their own set, whether or not it is on for them. In a store with more than 20,000 keys (Redis) or 100,000 memberships (SQLite), pages can be shorter than `limit`, even empty, and a user can come twice: continue while there is `next`.",
      tags: ["Admin"],
      scope: "viewer",
      parameters: [innerFeatureParameter],
      query: Query,
      responses: { 200: jsonResponse("A page of users.", UsersBody) },
      problems,
    },
    async (c, { query: { limit = defaultLimit, cursor, source } }) => {
      const feature = featureIn(c);
      const found = await holders.users(feature, limit, positionIn(cursor, feature), source);
      return { ...pageOf(found, feature), users: found.values };
    },
  );

  const locations = routes.add(
    {
      method: "get",
      path: "/admin/v1/features/{feature}/locations",
      summary: "List the locations of a feature",
      tags: ["Admin"],
      scope: "viewer",
      parameters: [innerFeatureParameter],
      query: Query,
      responses: { 200: jsonResponse("A page of locations.", LocationsBody) },
      problems,
    },
    async (c, { query: { limit = defaultLimit, cursor, source } }) => {
      const feature = featureIn(c);
      const found = await holders.locations(feature, limit, positionIn(cursor, feature), source);
      return { ...pageOf(found, feature), locations: found.values };
    },
  );

  return [users, locations] as const;
}

const pageOf = ({ source, next, total }: Holders, feature: string) => ({
  source,
  total,
  ...(next !== undefined && { next: cursorOf(next, feature) }),
});
