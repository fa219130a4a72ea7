import { type OpenAPIHono, z } from "@hono/zod-openapi";
import type { ListFeatures } from "../../../application/admin/list-features.ts";
import { instant } from "../../instant.ts";
import { knownFeatureJson } from "../../known-feature-json.ts";
import { checkedRoute } from "../kit/checked-route.ts";
import { positionIn, textCursor } from "../kit/cursor.ts";
import { jsonContent } from "../kit/json-content.ts";
import type { Operators } from "../kit/operators.ts";
import { problemResponses } from "../kit/problem-responses.ts";
import { wholeNumber } from "../kit/query.ts";
import { uncached } from "../kit/response-headers.ts";
import { CatalogueEntryBody } from "./catalogue.ts";
import { featureIn, featureParameter } from "./path-parameters.ts";

const defaultLimit = 100;

const Place = z
  .union([
    z
      .boolean()
      .openapi({ description: "For a source with one set for everyone: whether the set contains the feature." }),
    z
      .object({
        location: z.array(z.string()).readonly(),
        complete: z.boolean().openapi({ description: "Whether all sets of the source were read." }),
      })
      .openapi({ description: "For a source with one set per location: the locations that contain the feature." }),
    z.object({ users: z.int().nullable() }).openapi({
      description: "For a source with one set per user: the number of users that have the feature. Null if unknown.",
    }),
    z.object({ rule: z.unknown(), on: z.boolean() }).openapi({
      description: "For a source with a rule for the feature: the rule, and its result for an anonymous client.",
    }),
  ])
  .openapi("Place");

const FeatureBody = z
  .object({
    feature: z.string(),
    on: z.record(z.string(), Place).openapi({
      description:
        "The state of the feature in each source, by source name. Sources without sets are omitted if they do not list the feature.",
    }),
    killed: z.boolean().openapi({ description: "Whether a veto switches the feature off for everyone." }),
    catalogue: CatalogueEntryBody.nullable().openapi({ description: "The description. Null if there is none." }),
  })
  .openapi("KnownFeature", {
    example: {
      feature: "feature_3",
      on: {
        global: false,
        active: true,
        killed: false,
        location: { location: ["madrid"], complete: true },
        user: { users: 12 },
      },
      killed: false,
      catalogue: {
        description: "The new menu",
        owner: "shop",
        tags: ["web"],
        archived: false,
        created: "2026-11-21T09:00:00.000Z",
      },
    },
  });

const ListQuery = z.strictObject({
  search: z
    .string()
    .max(200)
    .optional()
    .openapi({ description: "Substring of the key, description, owner or a tag, regardless of case." }),
  limit: wholeNumber(1, 1_000)
    .optional()
    .openapi({ description: `Maximum number of features (default: ${defaultLimit}).` }),
  cursor: z.string().optional().openapi({ description: "`next` of the previous page, with the same search." }),
  at: instant().openapi({ type: "string", format: "date-time" }).optional().openapi({
    description:
      "The time of the listing (default: now). For a past time, sets and rules come from the event log; the configuration and the catalogue are current.",
  }),
});

/** `GET /admin/v1/features` and `/admin/v1/features/{feature}`: lists known features and where each one is on. */
export function knownFeatures(app: OpenAPIHono, operators: Operators, features: ListFeatures) {
  const list = checkedRoute(
    app,
    {
      method: "get",
      path: "/admin/v1/features",
      summary: "List known features",
      description:
        "Lists the features in shared sets, in other sources and in the catalogue, sorted by code point. Features that only user sets contain are not listed.",
      tags: ["Admin"],
      ...operators.atLeast("viewer"),
      query: ListQuery,
      responses: {
        200: {
          description: "A page of features.",
          content: {
            "application/json": {
              schema: z.object({
                features: z.array(FeatureBody),
                next: z
                  .string()
                  .optional()
                  .openapi({ description: "The cursor of the next page. Absent on the last page." }),
              }),
            },
          },
        },
        ...problemResponses(
          "unauthenticated",
          "invalid-query",
          "invalid-cursor",
          "history-unavailable",
          "source-unavailable",
          "log-unavailable",
        ),
      },
    },
    async (c, { query: { search, limit = defaultLimit, cursor, at } }) => {
      const after = cursor === undefined ? undefined : positionIn(cursor, search ?? "");
      const page = await features.list(limit, search, after, at);
      const last = page.features.at(-1)?.feature;
      const next = page.more && last !== undefined ? textCursor(last, search ?? "") : undefined;
      return c.json({ features: page.features.map(knownFeatureJson), next }, 200, uncached);
    },
  );

  const view = checkedRoute(
    app,
    {
      method: "get",
      path: "/admin/v1/features/{feature}",
      summary: "Get a feature",
      tags: ["Admin"],
      ...operators.atLeast("viewer"),
      parameters: [featureParameter],
      responses: {
        200: { description: "The feature.", content: jsonContent(FeatureBody) },
        ...problemResponses("unauthenticated", "invalid-query", "unknown-feature", "source-unavailable"),
      },
    },
    async (c) => c.json(knownFeatureJson(await features.get(featureIn(c))), 200, uncached),
  );

  return [list, view];
}
