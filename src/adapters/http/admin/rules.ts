import { type OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { FeatureRule, ManageRules } from "../../../application/admin/manage-rules.ts";
import type { IdempotencyKeys } from "../../../domain/admin/idempotency-keys.ts";
import type { Json } from "../../../domain/evaluation/feature.ts";
import { checkedRoute } from "../kit/checked-route.ts";
import { positionIn, textCursor } from "../kit/cursor.ts";
import { jsonContent } from "../kit/json-content.ts";
import type { Operators } from "../kit/operators.ts";
import { problemResponses } from "../kit/problem-responses.ts";
import { wholeNumber } from "../kit/query.ts";
import { uncached } from "../kit/response-headers.ts";
import { changeAuthor, changeProblems, demandNoBody, safeguards, TrialQuery } from "./change-request.ts";
import { entityTag, entityTagHeader, revisionDemanded, revisionText } from "./entity-tag.ts";
import { featureParameter } from "./feature-parameter.ts";
import { nameIn, nameParameter, readProblems } from "./source-parameter.ts";

const defaultLimit = 100;

const example = { windows: [{ startsAt: "2026-12-24T18:00:00Z", endsAt: "2026-12-25T00:00:00Z" }] };

/** The schema of a rule depends on the kind of its source. */
const Value = (z.unknown() as z.ZodType<Json>).openapi("Rule", {
  description: "What the source keeps of the feature. docs/reference/sources.md says for each kind what that may be.",
  example,
});

const RuleBody = z
  .object({
    source: z.string(),
    feature: z.string(),
    rule: Value,
    revision: z.string(),
    valid: z.boolean().openapi({
      description: "Whether the source heeds it: not where somebody wrote it into the store who does not know how.",
    }),
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

const Trial = z
  .object({ source: z.string(), feature: z.string(), rule: Value, dryRun: z.literal(true) })
  .openapi({ description: "Of a trial: what would be kept." });

const ListQuery = z.strictObject({
  search: z.string().max(200).optional().openapi({ description: "Stands somewhere in the key, in whatever case." }),
  limit: wholeNumber(1, 1_000)
    .optional()
    .openapi({ description: `At most so many; ${defaultLimit} unless given.` }),
  cursor: z.string().optional().openapi({ description: "`next` of the page before, with the same search." }),
});

const path = "/admin/v1/sources/{name}/rules/{feature}";
/** `/admin/v1/sources/{name}/rules`: reads and changes the rules of sources, such as schedules and percentages. */
export function ruleRoutes(
  app: OpenAPIHono,
  operators: Operators,
  rules: ManageRules,
  claims: IdempotencyKeys | undefined,
): void {
  const demanded = (c: Context) =>
    revisionDemanded(c, async () => {
      const found = await rules.find(nameIn(c), featureIn(c));
      return { exists: found !== undefined, revision: found?.revision };
    });

  checkedRoute(
    app,
    {
      method: "get",
      path: "/admin/v1/sources/{name}/rules",
      summary: "What a source keeps of single features",
      description: "As the store has it now, past what is remembered; sorted by code point.",
      tags: ["Admin"],
      ...operators.atLeast("viewer"),
      parameters: [nameParameter],
      query: ListQuery,
      responses: {
        200: {
          description: "A page of it.",
          content: jsonContent(
            z.object({
              rules: z.array(RuleBody),
              next: z
                .string()
                .optional()
                .openapi({ description: "The cursor of the next page; left out on the last." }),
            }),
          ),
        },
        ...problemResponses(...readProblems, "invalid-cursor"),
      },
    },
    async (c, { query: { search, limit = defaultLimit, cursor } }) => {
      const source = nameIn(c);
      const filter = [source, search ?? ""];
      const after = cursor === undefined ? undefined : positionIn(cursor, filter);
      const page = await rules.list(source, limit, search, after);
      const last = page.rules.at(-1)?.feature;
      const next = page.more && last !== undefined ? textCursor(last, filter) : undefined;
      return c.json({ rules: page.rules.map((each) => shown(source, each)), next }, 200, uncached);
    },
  );

  checkedRoute(
    app,
    {
      method: "get",
      path,
      summary: "What a source keeps of a feature",
      description: "As the store has it now, past what is remembered.",
      tags: ["Admin"],
      ...operators.atLeast("viewer"),
      parameters: [nameParameter, featureParameter],
      responses: {
        200: { description: "The rule.", headers: entityTagHeader, content: jsonContent(RuleBody) },
        ...problemResponses(...readProblems, "unknown-feature"),
      },
    },
    async (c) => {
      const found = await rules.get(nameIn(c), featureIn(c));
      return c.json(shown(nameIn(c), found), 200, { ...uncached, ETag: entityTag(found.revision) });
    },
  );

  checkedRoute(
    app,
    {
      method: "put",
      path,
      summary: "Have a source keep something of a feature",
      description: "Takes the place of what it kept before. What is left out is as the kind of the source has it.",
      tags: ["Admin"],
      ...operators.atLeast("editor"),
      parameters: [nameParameter, featureParameter, ...safeguards],
      query: TrialQuery,
      body: Value,
      responses: {
        200: {
          description: "What it keeps now.",
          headers: entityTagHeader,
          content: jsonContent(z.union([RuleBody, Trial])),
        },
        ...problemResponses(
          ...changeProblems,
          "payload-too-large",
          "unknown-source",
          "invalid-feature-key",
          "revision-mismatch",
          "store-full",
        ),
      },
    },
    async (c, { query, body }) => {
      const [source, feature] = [nameIn(c), featureIn(c)];
      // Validates the rule before the store is read.
      const rule = await rules.check(source, feature, body);
      const ifRevision = await demanded(c);
      if (query.dryRun === "true") {
        await rules.checkRevision(source, feature, ifRevision);
        return c.json({ source, feature, rule, dryRun: true as const }, 200, uncached);
      }
      const author = await changeAuthor(c, claims, { query, body, ifRevision });
      const kept = await rules.put(source, feature, body, author);
      return c.json(shown(source, kept), 200, { ...uncached, ETag: entityTag(kept.revision) });
    },
  );

  checkedRoute(
    app,
    {
      method: "delete",
      path,
      summary: "Have a source keep nothing of a feature",
      description: "Done again, it changes nothing.",
      tags: ["Admin"],
      ...operators.atLeast("editor"),
      parameters: [nameParameter, featureParameter, ...safeguards],
      query: TrialQuery,
      responses: {
        200: {
          description: "It keeps nothing.",
          headers: entityTagHeader,
          content: jsonContent(
            z.object({
              source: z.string(),
              feature: z.string(),
              removed: z.boolean().openapi({ description: "Whether there was anything." }),
              dryRun: z.literal(true).optional().openapi({ description: "Only of a trial." }),
            }),
          ),
        },
        ...problemResponses(
          ...changeProblems,
          "payload-too-large",
          "unknown-source",
          "revision-mismatch",
          "store-full",
        ),
      },
    },
    async (c, { query }) => {
      await demandNoBody(c);
      const [source, feature] = [nameIn(c), featureIn(c)];
      const ifRevision = await demanded(c);
      if (query.dryRun === "true") {
        await rules.checkRevision(source, feature, ifRevision);
        const removed = (await rules.find(source, feature)) !== undefined;
        return c.json({ source, feature, removed, dryRun: true as const }, 200, uncached);
      }
      const author = await changeAuthor(c, claims, { query, ifRevision });
      const { removed, revision } = await rules.remove(source, feature, author);
      return c.json({ source, feature, removed }, 200, { ...uncached, ETag: entityTag(revision) });
    },
  );
}

const featureIn = (c: Context): string => c.req.param("feature") ?? "";

const shown = (source: string, { feature, rule, revision, isValid }: FeatureRule) => ({
  source,
  feature,
  rule,
  revision: revisionText(revision),
  valid: isValid,
});
