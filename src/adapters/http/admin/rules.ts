import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { FeatureRule, ManageRules } from "../../../application/admin/manage-rules.ts";
import type { AssessImpact } from "../../../application/features/assess-impact.ts";
import type { IdempotencyKeys } from "../../../domain/admin/idempotency-keys.ts";
import type { Json } from "../../../domain/evaluation/feature.ts";
import { ImpactBody, impactJson } from "../features/impact.ts";
import { claimedOptions, DryRunQuery, rejectBody, revisedProblems, safeguards } from "../routing/change-request.ts";
import { cursorOf, defaultLimit, nextCursor, pageQuery, positionIn } from "../routing/cursor.ts";
import { entityTagHeader, requiredRevision, revisionJson, tagged } from "../routing/entity-tag.ts";
import { jsonResponse } from "../routing/json-content.ts";
import type { OperatorRoutes } from "../routing/operator-routes.ts";
import { featureIn, featureParameter, readProblems, sourceIn, sourceParameter } from "../routing/path-parameters.ts";

const example = { windows: [{ startsAt: "2026-12-24T18:00:00Z", endsAt: "2026-12-25T00:00:00Z" }] };

/** The schema of a rule depends on the kind of its source. */
const Value = (z.unknown() as z.ZodType<Json>).openapi("Rule", {
  description: "The rule of the feature. docs/reference/sources.md describes the rules of each kind.",
  example,
});

const RuleBody = z
  .object({
    source: z.string(),
    feature: z.string(),
    rule: Value,
    revision: z.string(),
    valid: z
      .boolean()
      .describe("Whether the source can evaluate the rule. Rules that were written outside Tidegate may be invalid."),
  })
  .openapi("FeatureRule", {
    example: {
      source: "evenings",
      feature: "feature_3",
      rule: example,
      revision: "019aa5c1-8c1e-7f3a-9d43-5a1f6f0c2b11.7",
      valid: true,
    },
  });

const impact = ImpactBody.optional().describe(
  "Only in a dry run: who gains and who loses the feature. Absent for a segment.",
);

const DryRunResult = z
  .object({ source: z.string(), feature: z.string(), rule: Value, dryRun: z.literal(true), impact })
  .describe("The result of a dry run.");

const ListQuery = z.strictObject({
  search: z.string().max(200).optional().describe("Substring of the feature key, regardless of case."),
  ...pageQuery("rules", ", with the same search"),
});

const path = "/admin/v1/sources/{source}/rules/{feature}";
/** `/admin/v1/sources/{source}/rules`: reads and changes the rules of sources, such as schedules and percentages. */
export function ruleRoutes(
  routes: OperatorRoutes,
  {
    manageRules: rules,
    assessImpact,
    idempotencyKeys,
  }: {
    readonly manageRules: ManageRules;
    readonly assessImpact: AssessImpact;
    readonly idempotencyKeys: IdempotencyKeys | undefined;
  },
) {
  const ifRevisionOf = (c: Context) =>
    requiredRevision(c, async () => {
      const found = await rules.find(sourceIn(c), featureIn(c));
      return { exists: found !== undefined, revision: found?.revision };
    });

  const impactOf = async (source: string, feature: string, rule: Json | undefined) => {
    const assessed = await assessImpact.ofRule(feature, source, rule);
    return assessed && { impact: impactJson(assessed) };
  };

  const list = routes.add(
    {
      method: "get",
      path: "/admin/v1/sources/{source}/rules",
      summary: "List the rules of a source",
      description: "Reads the store, not the cache. Sorted by feature key, by code point.",
      tags: ["Admin"],
      scope: "viewer",
      parameters: [sourceParameter],
      query: ListQuery,
      responses: {
        200: jsonResponse(
          "A page of rules.",
          z.object({
            rules: z.array(RuleBody),
            next: nextCursor,
          }),
        ),
      },
      problems: [...readProblems, "invalid-cursor"],
    },
    async (c, { query: { search, limit = defaultLimit, cursor } }) => {
      const source = sourceIn(c);
      const filter = [source, search ?? ""];
      const after = positionIn(cursor, filter);
      const page = await rules.list(source, limit, search, after);
      const last = page.rules.at(-1)?.feature;
      const next = page.more && last !== undefined ? cursorOf(last, filter) : undefined;
      return { rules: page.rules.map((each) => ruleJson(source, each)), next };
    },
  );

  const view = routes.add(
    {
      method: "get",
      path,
      summary: "Get a rule",
      description: "Reads the store, not the cache.",
      tags: ["Admin"],
      scope: "viewer",
      parameters: [sourceParameter, featureParameter],
      responses: { 200: jsonResponse("The rule.", RuleBody, entityTagHeader) },
      problems: [...readProblems, "unknown-feature"],
    },
    async (c) => {
      const found = await rules.get(sourceIn(c), featureIn(c));
      return tagged(c, ruleJson(sourceIn(c), found), found.revision);
    },
  );

  const put = routes.add(
    {
      method: "put",
      path,
      summary: "Set a rule",
      description: "Replaces the previous rule. Omitted fields get the defaults of the kind. Idempotent.",
      tags: ["Admin"],
      scope: "editor",
      parameters: [sourceParameter, featureParameter, ...safeguards],
      query: DryRunQuery,
      body: Value,
      responses: { 200: jsonResponse("The new rule.", z.union([RuleBody, DryRunResult]), entityTagHeader) },
      problems: [...revisedProblems, "unknown-source", "invalid-feature-key"],
    },
    async (c, { query, body }) => {
      const [source, feature] = [sourceIn(c), featureIn(c)];
      // Validates the rule before the store is read.
      const checked = await rules.check(source, feature, body);
      const ifRevision = await ifRevisionOf(c);
      if (query.dryRun === "true") {
        await rules.checkRevision(source, feature, ifRevision);
        const trial = { ...checked, dryRun: true as const, ...(await impactOf(source, feature, checked.rule)) };
        return trial;
      }
      const options = await claimedOptions(c, idempotencyKeys, { query, body, ifRevision });
      const kept = await rules.put(checked, options);
      return tagged(c, ruleJson(source, kept), kept.revision);
    },
  );

  const remove = routes.add(
    {
      method: "delete",
      path,
      summary: "Delete a rule",
      description: "Idempotent.",
      tags: ["Admin"],
      scope: "editor",
      parameters: [sourceParameter, featureParameter, ...safeguards],
      query: DryRunQuery,
      responses: {
        200: jsonResponse(
          "The result.",
          z.object({
            source: z.string(),
            feature: z.string(),
            removed: z.boolean().describe("Whether there was a rule."),
            dryRun: z.literal(true).optional().describe("Only in a dry run."),
            impact,
          }),
          entityTagHeader,
        ),
      },
      problems: [...revisedProblems, "unknown-source"],
    },
    async (c, { query }) => {
      await rejectBody(c);
      const [source, feature] = [sourceIn(c), featureIn(c)];
      const ifRevision = await ifRevisionOf(c);
      if (query.dryRun === "true") {
        await rules.checkRevision(source, feature, ifRevision);
        const removed = (await rules.find(source, feature)) !== undefined;
        const trial = { source, feature, removed, dryRun: true as const };
        return { ...trial, ...(await impactOf(source, feature, undefined)) };
      }
      const options = await claimedOptions(c, idempotencyKeys, { query, ifRevision });
      const { removed, revision } = await rules.remove(source, feature, options);
      return tagged(c, { source, feature, removed }, revision);
    },
  );

  return [list, view, put, remove];
}

const ruleJson = (source: string, { feature, rule, revision, isValid }: FeatureRule) => ({
  source,
  feature,
  rule,
  revision: revisionJson(revision),
  valid: isValid,
});
