import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { Catalogue } from "../../../application/admin/catalogue.ts";
import type { IdempotencyKeys } from "../../../domain/admin/idempotency-keys.ts";
import { UnknownFeature } from "../../../domain/errors.ts";
import { catalogueEntryJson } from "../../known-feature-json.ts";
import { claimedOptions, DryRunQuery, rejectBody, revisedProblems, safeguards } from "../routing/change-request.ts";
import { entityTagHeader, requiredRevision, tagged } from "../routing/entity-tag.ts";
import { jsonContent } from "../routing/json-content.ts";
import type { OperatorRoutes } from "../routing/operator-routes.ts";
import { featureIn, featureParameter } from "../routing/path-parameters.ts";

/** The description of a feature in a request. */
export const Description = z
  .strictObject({
    description: z.string().max(2_000).default(""),
    owner: z.string().max(200).default(""),
    tags: z
      .array(z.string().min(1).max(50))
      .max(20)
      .default([])
      .transform((tags) => [...new Set(tags)]),
    archived: z.boolean().default(false).describe("Whether the feature is retired. Does not change its state."),
  })
  .openapi("Description", {
    example: { description: "The new menu", owner: "shop", tags: ["web"], archived: false },
  });

/** A catalogue entry: the description of a feature. */
export const CatalogueEntryBody = z
  .object({
    description: z.string(),
    owner: z.string(),
    tags: z.array(z.string()).readonly(),
    archived: z.boolean(),
    created: z.iso.datetime().describe("When the feature was first described."),
  })
  .openapi("CatalogueEntry");

const path = "/admin/v1/catalogue/{feature}";
const entryResponse = (description: string) => ({
  description,
  headers: entityTagHeader,
  content: jsonContent(CatalogueEntryBody),
});

/** `/admin/v1/catalogue/{feature}`: reads and changes the descriptions of features. */
export function catalogueRoutes(
  routes: OperatorRoutes,
  {
    catalogue,
    idempotencyKeys,
  }: { readonly catalogue: Catalogue; readonly idempotencyKeys: IdempotencyKeys | undefined },
) {
  const ifRevisionOf = (c: Context, feature: string) =>
    requiredRevision(c, async () => {
      const found = await catalogue.get(feature);
      return { exists: found !== undefined, revision: found?.revision };
    });

  const view = routes.add(
    {
      method: "get",
      path,
      summary: "Get the description of a feature",
      tags: ["Admin"],
      scope: "viewer",
      parameters: [featureParameter],
      responses: { 200: entryResponse("The description.") },
      problems: ["unknown-feature", "source-unavailable"],
    },
    async (c) => {
      const found = await catalogue.get(featureIn(c));
      if (!found) throw new UnknownFeature();
      return tagged(c, catalogueEntryJson(found.entry), found.revision);
    },
  );

  const describe = routes.add(
    {
      method: "put",
      path,
      summary: "Describe a feature",
      description:
        "Replaces the previous description; omitted fields are empty. Does not change the state of the feature.",
      tags: ["Admin"],
      scope: "editor",
      parameters: [featureParameter, ...safeguards],
      query: DryRunQuery,
      body: Description,
      responses: { 200: entryResponse("The new description.") },
      problems: [...revisedProblems, "invalid-feature-key"],
    },
    async (c, { query, body }) => {
      const feature = featureIn(c);
      const ifRevision = await ifRevisionOf(c, feature);
      if (query.dryRun === "true") {
        await catalogue.check(feature, ifRevision);
        return catalogueEntryJson(await catalogue.entryOf(feature, body));
      }
      const options = await claimedOptions(c, idempotencyKeys, { query, body, ifRevision });
      const { entry, revision } = await catalogue.put(feature, body, options);
      return tagged(c, catalogueEntryJson(entry), revision);
    },
  );

  const remove = routes.add(
    {
      method: "delete",
      path,
      summary: "Delete the description of a feature",
      tags: ["Admin"],
      scope: "editor",
      parameters: [featureParameter, ...safeguards],
      query: DryRunQuery,
      responses: {
        200: {
          description: "The result.",
          headers: entityTagHeader,
          content: {
            "application/json": {
              schema: z.object({
                feature: z.string(),
                removed: z.boolean().describe("Whether there was a description."),
              }),
            },
          },
        },
      },
      problems: revisedProblems,
    },
    async (c, { query }) => {
      await rejectBody(c);
      const feature = featureIn(c);
      const ifRevision = await ifRevisionOf(c, feature);
      if (query.dryRun === "true") {
        await catalogue.check(feature, ifRevision);
        const removed = (await catalogue.get(feature)) !== undefined;
        return { feature, removed };
      }
      const options = await claimedOptions(c, idempotencyKeys, { query, ifRevision });
      const { removed, revision } = await catalogue.remove(feature, options);
      return tagged(c, { feature, removed }, revision);
    },
  );

  return [view, describe, remove];
}
