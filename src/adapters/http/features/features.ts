import { z } from "@hono/zod-openapi";
import type { FeatureFilter } from "../../../application/features/feature-filter.ts";
import { type FeatureSort, featureSorts, type PageEnd } from "../../../application/features/feature-sort.ts";
import type { Facets, ListFeatures } from "../../../application/features/list-features.ts";
import type { ViewFeature } from "../../../application/features/view-feature.ts";
import { featureStates } from "../../../domain/features/feature-state.ts";
import { usageDays } from "../../../domain/usage/usage-store.ts";
import { duration } from "../../duration.ts";
import { instant } from "../../instant.ts";
import { knownFeatureJson, sourceStatusJson, viewedFeatureJson } from "../../known-feature-json.ts";
import { cursorOf, defaultLimit, nextCursor, pageQuery, positionIn } from "../routing/cursor.ts";
import { jsonResponse } from "../routing/json-content.ts";
import type { OperatorRoutes } from "../routing/operator-routes.ts";
import { featureIn, featureParameter } from "../routing/path-parameters.ts";
import { FeatureBody, SourceStatusBody } from "./feature-body.ts";
import { ViewedFeatureBody } from "./viewed-feature-body.ts";

const defaultSort = "key" satisfies FeatureSort;

const State = z.enum(featureStates);

const ListQuery = z.strictObject({
  search: z
    .string()
    .max(200)
    .optional()
    .describe("Substring of the key, description, owner or a tag, regardless of case."),
  state: State.optional().describe("Only features in this state."),
  owner: z.string().max(200).optional().describe("Only features of this owner."),
  tag: z.string().max(200).optional().describe("Only features with this tag."),
  source: z.string().max(200).optional().describe("Only features that this source lists."),
  unusedFor: duration(usageDays)
    .openapi({ type: "string", example: "30d" })
    .optional()
    .describe(
      "Only features that were not used for this time, such as `30d`, `12h` or `90m`. A use is an evaluation that has the feature on, or that asks for it by its key. Empty until usage was counted for as long; features described within the time are omitted.",
    ),
  sort: z
    .enum(featureSorts)
    .optional()
    .describe(
      "The order: by `key` (default), by the time of the last change, `changed`, or by `evaluated`: how often the feature was on in evaluations of the last 24 hours. `-` reverses it, so that `-changed` begins with the last change. Counts of evaluations grow while you page.",
    ),
  ...pageQuery("features", ", with the same filters and `sort`"),
  at: instant()
    .openapi({ type: "string", format: "date-time" })
    .optional()
    .describe(
      "The time of the listing (default: now). For a past time, sets and rules come from the event log; the configuration and the catalogue are current, and `lastChange` is null.",
    ),
});

const PageBody = z
  .object({
    features: z.array(FeatureBody),
    next: nextCursor,
    total: z.int().describe("The number of features that match all filters."),
    counts: z
      .record(State, z.int())
      .describe("The number of features in each state that match all filters except `state`."),
    known: z.int().describe("The number of all known features."),
    sources: z.array(SourceStatusBody).describe("The sources behind the states, in YAML order."),
    logAvailable: z
      .boolean()
      .describe("Whether the event log answered. If not, `lastChange` is null, and the order is by key."),
  })
  .openapi("KnownFeatures");

const Facet = z.object({ value: z.string(), features: z.int() });
const FacetsBody = z
  .object({
    owners: z.array(Facet),
    tags: z.array(Facet),
    sources: z.array(Facet).describe("All sources, in YAML order."),
  })
  .openapi("FeatureFacets", {
    example: {
      owners: [{ value: "shop", features: 12 }],
      tags: [{ value: "web", features: 7 }],
      sources: [{ value: "global", features: 4 }],
    },
  });

/** `/admin/v1/features`: lists known features with their states, and the values of its filters. */
export function featureRoutes(
  routes: OperatorRoutes,
  { listFeatures, viewFeature }: { readonly listFeatures: ListFeatures; readonly viewFeature: ViewFeature },
) {
  const list = routes.add(
    {
      method: "get",
      path: "/admin/v1/features",
      summary: "List known features",
      description:
        "Lists the features that a source lists, and those in the catalogue. If a store has more than 20,000 keys (Redis) or 100,000 memberships (SQLite), features that only user sets contain are omitted.",
      tags: ["Admin"],
      scope: "viewer",
      query: ListQuery,
      responses: { 200: jsonResponse("A page of features.", PageBody) },
      problems: ["invalid-cursor", "history-unavailable", "source-unavailable", "log-unavailable"],
    },
    async (_, { query: { sort = defaultSort, limit = defaultLimit, cursor, at, unusedFor, ...others } }) => {
      const filter = { ...others, unusedMs: unusedFor };
      const after = endIn(cursor, sort, filter);
      const { next, sources, isLogAvailable, ...page } = await listFeatures.list({ filter, sort, limit, after, at });
      const body = {
        features: page.features.map(knownFeatureJson),
        ...(next && { next: cursorAt(next, sort, filter) }),
        total: page.total,
        counts: page.counts,
        known: page.known,
        sources: [...sources].map(([name, status]) => sourceStatusJson(name, status)),
        logAvailable: isLogAvailable,
      };
      return body;
    },
  );

  const facets = routes.add(
    {
      method: "get",
      path: "/admin/v1/features/facets",
      summary: "List the values of feature filters",
      description:
        "Owners, tags and sources, each with the number of its features. A feature with the key `facets` is in the list only.",
      tags: ["Admin"],
      scope: "viewer",
      responses: { 200: jsonResponse("The values.", FacetsBody) },
      problems: ["source-unavailable"],
    },
    async () => facetsJson(await listFeatures.facets()),
  );

  const view = routes.add(
    {
      method: "get",
      path: "/admin/v1/features/{feature}",
      summary: "Get a feature",
      description: "Returns the feature as in the list, and the part of each source in its state.",
      tags: ["Admin"],
      scope: "viewer",
      parameters: [featureParameter],
      responses: { 200: jsonResponse("The feature.", ViewedFeatureBody) },
      problems: ["unknown-feature", "source-unavailable"],
    },
    async (c) => viewedFeatureJson(await viewFeature(featureIn(c))),
  );

  return [list, facets, view];
}

const cursorAt = ({ feature, rank }: PageEnd, sort: FeatureSort, filter: FeatureFilter): string =>
  cursorOf(`${rank} ${feature}`, [sort, filter]);

/** Throws as `positionIn` does. */
function endIn(cursor: string | undefined, sort: FeatureSort, filter: FeatureFilter): PageEnd | undefined {
  const position = positionIn(cursor, [sort, filter]);
  if (position === undefined) return undefined;
  const end = position.indexOf(" ");
  return { feature: position.slice(end + 1), rank: Number(position.slice(0, end)) };
}

const facetsJson = ({ owners, tags, sources }: Facets): z.output<typeof FacetsBody> => ({
  owners: facetJson(owners),
  tags: facetJson(tags),
  sources: facetJson(sources),
});

const facetJson = (values: ReadonlyMap<string, number>) =>
  [...values].map(([value, features]) => ({ value, features }));
