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
import { featureParameter } from "./feature-parameter.ts";

const defaultLimit = 100;

const Place = z
  .union([
    z.boolean().openapi({ description: "Of a source that is the same for everybody: whether it is on there." }),
    z
      .object({
        location: z.array(z.string()).readonly(),
        complete: z.boolean().openapi({ description: "False where there are more sets than are looked into." }),
      })
      .openapi({ description: "Of a source with a set for each location: those where it is on." }),
    z.object({ users: z.int().nullable() }).openapi({
      description: "Of a source with a set for each user: how many have it. Null where that is not known.",
    }),
    z.object({ rule: z.unknown(), on: z.boolean() }).openapi({
      description:
        "Of a source that keeps something of it: what, and whether that makes it on for nobody in particular.",
    }),
  ])
  .openapi("Place");

const FeatureBody = z
  .object({
    feature: z.string(),
    on: z.record(z.string(), Place).openapi({
      description: "By source. A source that reads no sets and does not know the feature is left out.",
    }),
    killed: z.boolean().openapi({ description: "Whether a veto switches it off for everybody." }),
    catalogue: CatalogueEntryBody.nullable().openapi({ description: "Null where nobody has described it." }),
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
    .openapi({ description: "Stands somewhere in the key, description, owner or a tag, in whatever case." }),
  limit: wholeNumber(1, 1_000)
    .optional()
    .openapi({ description: `At most so many; ${defaultLimit} unless given.` }),
  cursor: z.string().optional().openapi({ description: "`next` of the page before, with the same search." }),
  at: instant().openapi({ type: "string", format: "date-time" }).optional().openapi({
    description:
      "The moment to tell of. Of a past one, sets are those that the event log tells of; the configuration and the catalogue are those of now.",
  }),
});

/** `GET /admin/v1/features` and `/admin/v1/features/{feature}`: lists known features and where each one is on. */
export function knownFeatures(app: OpenAPIHono, operators: Operators, features: ListFeatures): void {
  checkedRoute(
    app,
    {
      method: "get",
      path: "/admin/v1/features",
      summary: "Every feature that is known, and where it is on",
      description:
        "Those that stand in a set which is not a user's, that another source knows, or that somebody has described; sorted by code point.",
      tags: ["Admin"],
      ...operators.atLeast("viewer"),
      query: ListQuery,
      responses: {
        200: {
          description: "A page of them.",
          content: {
            "application/json": {
              schema: z.object({
                features: z.array(FeatureBody),
                next: z
                  .string()
                  .optional()
                  .openapi({ description: "The cursor of the next page; left out on the last." }),
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

  checkedRoute(
    app,
    {
      method: "get",
      path: "/admin/v1/features/{feature}",
      summary: "One feature, and where it is on",
      tags: ["Admin"],
      ...operators.atLeast("viewer"),
      parameters: [featureParameter],
      responses: {
        200: { description: "The feature.", content: jsonContent(FeatureBody) },
        ...problemResponses("unauthenticated", "invalid-query", "unknown-feature", "source-unavailable"),
      },
    },
    async (c) => c.json(knownFeatureJson(await features.get(c.req.param("feature") ?? "")), 200, uncached),
  );
}
