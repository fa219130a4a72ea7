import { z } from "@hono/zod-openapi";
import type { Catalogue } from "../../../application/admin/catalogue.ts";
import type { ManageRules } from "../../../application/admin/manage-rules.ts";
import type { ChangeOptions } from "../../../domain/admin/change.ts";
import type { Json } from "../../../domain/evaluation/feature.ts";
import { catalogueEntryJson } from "../../known-feature-json.ts";
import { ImpactBody, impactJson } from "../features/impact.ts";
import { revisionIn, revisionJson } from "../routing/entity-tag.ts";
import { CatalogueEntryBody, Description } from "./catalogue.ts";
import { type PreviewReads, SetChangeBody, type SetUseCases, setChanges } from "./set-changes.ts";

/** One change of a bulk request: of a set, of a rule, or of a description. */
export const BulkItem = z
  .strictObject({
    source: z.string().optional().describe("The source whose set or rule changes."),
    context: z
      .strictObject({
        userId: z.string().optional(),
        location: z.string().optional(),
      })
      .default({})
      .describe("Of a set: exactly the fields in the key of the source."),
    add: z.array(z.string()).default([]),
    remove: z.array(z.string()).default([]),
    feature: z.string().optional().describe("The feature of a rule or a description."),
    rule: (z.unknown() as z.ZodType<Json | undefined>)
      .optional()
      .describe("The rule of the feature in the source. Null deletes it."),
    catalogue: Description.nullable().optional().describe("The description of the feature. Null deletes it."),
    ifRevision: z
      .string()
      .transform((text, context) => {
        const revision = revisionIn(text);
        if (revision !== undefined) return revision;
        context.addIssue("is invalid (expected the `revision` of a read or a change)");
        return z.NEVER;
      })
      .optional()
      .openapi({ type: "string", description: "Applies the change only at this revision of the set or document." }),
  })
  .superRefine(({ source, feature, rule, catalogue, add, remove }, context) => {
    const fault = (path: string, message: string) => context.addIssue({ code: "custom", path: [path], message });
    const isDocument = rule !== undefined || catalogue !== undefined;
    if (rule !== undefined && catalogue !== undefined)
      fault("catalogue", "cannot be combined with rule; send two changes");
    if (isDocument && add.length + remove.length > 0)
      fault("add", "cannot be combined with rule or catalogue; send two changes");
    if (isDocument && feature === undefined) fault("feature", "is missing");
    if (!isDocument && feature !== undefined)
      fault("feature", "needs a rule or a catalogue entry; name features of a set in add or remove");
    if (catalogue === undefined && source === undefined) fault("source", "is missing");
    if (catalogue !== undefined && source !== undefined) fault("source", "cannot be combined with catalogue; omit it");
    if (!isDocument && add.length + remove.length === 0)
      context.addIssue("adds and removes nothing; name at least one feature");
  });
export type BulkItem = z.output<typeof BulkItem>;

/** In results, the `source` of a description. */
export const catalogueSource = "catalogue";

const document = {
  feature: z.string(),
  revision: z.string().optional().describe("The new revision. Absent in a dry run."),
  dryRun: z.literal(true).optional(),
};

const ChangedRule = z
  .object({
    ...document,
    source: z.string(),
    rule: z.unknown().describe("The rule. Null if there is none now."),
    impact: ImpactBody.optional(),
  })
  .openapi("ChangedRule", {
    example: { source: "rollout", feature: "feature_1", rule: { percentage: 25 }, revision: "….7" },
  });

const ChangedEntry = z
  .object({ ...document, source: z.literal(catalogueSource), catalogue: CatalogueEntryBody.nullable() })
  .openapi("ChangedDescription", {
    example: { source: "catalogue", feature: "feature_1", catalogue: null, revision: "….7" },
  });

const applied = { status: z.literal(200) };

/** The results of applied changes. */
export const AppliedItem = z.union([
  SetChangeBody.extend(applied).openapi({
    example: {
      status: 200,
      source: "global",
      key: "global_features",
      added: ["feature_1"],
      removed: [],
      revision: "….7",
    },
  }),
  ChangedRule.extend(applied).openapi({ example: undefined }),
  ChangedEntry.extend(applied).openapi({ example: undefined }),
]);
type BulkChanged = z.output<typeof SetChangeBody | typeof ChangedRule | typeof ChangedEntry>;

/** The use cases behind a bulk request. */
export type BulkUseCases = SetUseCases & { readonly manageRules: ManageRules; readonly catalogue: Catalogue };

/** Applies or previews single changes of a bulk request. */
export function bulkChanges(use: BulkUseCases) {
  const { manageRules, catalogue: descriptions } = use;
  const sets = setChanges(use);

  /** Applies a change. Rejects as the same change as a request of its own. */
  async function apply(item: BulkItem, options: ChangeOptions): Promise<BulkChanged> {
    const { source = "", context, add, remove, feature = "", rule, catalogue } = item;
    if (rule === null) {
      const { revision } = await manageRules.remove(source, feature, options);
      return { source, feature, rule, revision: revisionJson(revision) };
    }
    if (rule !== undefined) {
      const { rule: stored, revision } = await manageRules.put(await manageRules.check(source, feature, rule), options);
      return { source, feature, rule: stored, revision: revisionJson(revision) };
    }
    if (catalogue === null) {
      const { revision } = await descriptions.remove(feature, options);
      return { source: catalogueSource, feature, catalogue, revision: revisionJson(revision) };
    }
    if (catalogue !== undefined) {
      const { entry, revision } = await descriptions.put(feature, catalogue, options);
      return {
        source: catalogueSource,
        feature,
        catalogue: catalogueEntryJson(entry),
        revision: revisionJson(revision),
      };
    }
    return sets.apply({ source, context, add, remove }, options);
  }

  /** Previews a change. Rejects as the change would. */
  async function preview(item: BulkItem, reads: PreviewReads): Promise<BulkChanged> {
    const { source = "", context, add, remove, feature = "", rule, catalogue, ifRevision } = item;
    if (rule !== undefined) {
      const wanted = rule === null ? undefined : (await manageRules.check(source, feature, rule)).rule;
      await manageRules.checkRevision(source, feature, ifRevision);
      const impact = await reads.assessImpact.ofRule(feature, source, wanted);
      return { source, feature, rule: wanted ?? null, dryRun: true, ...(impact && { impact: impactJson(impact) }) };
    }
    if (catalogue !== undefined) {
      await descriptions.check(feature, ifRevision);
      const entry = catalogue && catalogueEntryJson(await descriptions.entryOf(feature, catalogue));
      return { source: catalogueSource, feature, catalogue: entry, dryRun: true };
    }
    return sets.preview({ source, context, add, remove }, ifRevision, reads);
  }
  return { apply, preview };
}
