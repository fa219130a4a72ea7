import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { ChangeSet, ReadContents, SourceChange } from "../../../application/admin/change-set.ts";
import type { AssessImpact } from "../../../application/features/assess-impact.ts";
import type { ChangeOptions } from "../../../domain/admin/change.ts";
import type { IdempotencyKeys } from "../../../domain/admin/idempotency-keys.ts";
import type { FeatureKey } from "../../../domain/evaluation/feature.ts";
import { ImpactBody, impactJson } from "../features/impact.ts";
import { uncached } from "../response-headers.ts";
import { claimedOptions, type DryRunQuery, type RequestedChange } from "../routing/change-request.ts";
import { requiredRevision, revisionJson } from "../routing/entity-tag.ts";

const Key = z.string().openapi({ description: "The key of the set in its store.", example: "features:user:1" });
const Features = (description: string) => z.array(z.string()).readonly().describe(description);

/** The result of a change or of a dry run. */
export const SetChangeBody = z
  .object({
    source: z.string(),
    key: Key,
    added: Features("The features that were not in the set before."),
    removed: Features("The features that were in the set before."),
    revision: z.string().optional().describe("The new revision of the set, as in the `ETag`. Absent in a dry run."),
    dryRun: z.literal(true).optional().describe("Only in a dry run: the change was not applied."),
    users: z
      .object({
        count: z.int().nullable().describe("Null if unknown, or if several features change."),
      })
      .optional()
      .describe("Only in a dry run: the number of users whose own set contains the feature."),
    impact: ImpactBody.optional().describe("Only in a dry run that changes one feature: who gains and who loses it."),
  })
  .openapi("Changed", {
    example: {
      source: "global",
      key: "global_features",
      added: ["feature_1"],
      removed: [],
      revision: "019aa5c1-8c1e-7f3a-9d43-5a1f6f0c2b11.7",
    },
  });
export type SetChangeBody = z.output<typeof SetChangeBody>;

type RequestedSetChange = Omit<RequestedChange, "query" | "ifRevision"> & {
  readonly query: z.output<typeof DryRunQuery>;
};

/** The use cases behind changes of sets. */
export type SetUseCases = {
  readonly changeSet: ChangeSet;
  readonly assessImpact: AssessImpact;
  /** Stores the request of each Idempotency-Key; `undefined` if no store is configured for it. */
  readonly idempotencyKeys: IdempotencyKeys | undefined;
};

/** What the previews of one request read once. */
export type PreviewReads = { readonly assessImpact: AssessImpact; readonly contents: ReadContents };

/** The feature of a change that has only one. */
export function onlyFeatureOf({ add, remove }: Pick<SourceChange, "add" | "remove">): FeatureKey | undefined {
  const [feature, another] = new Set([...add, ...remove]);
  return another === undefined ? feature : undefined;
}

/** Applies changes to sets, or previews them in a dry run. */
export function setChanges({ changeSet, assessImpact, idempotencyKeys }: SetUseCases) {
  async function apply(
    change: SourceChange,
    options: ChangeOptions,
  ): Promise<SetChangeBody & { readonly revision: string }> {
    const { key, added, removed, revision } = await changeSet.apply(change, options);
    return { source: change.source, key, added, removed, revision: revisionJson(revision) };
  }

  async function preview(
    change: SourceChange,
    ifRevision: ChangeOptions["ifRevision"],
    reads: PreviewReads = { assessImpact, contents: new Map() },
  ): Promise<SetChangeBody> {
    const preview = await changeSet.preview(change, ifRevision, reads.contents);
    const feature = onlyFeatureOf(change);
    const [count, impact] = await Promise.all([
      feature === undefined ? null : reads.assessImpact.userCount(feature),
      feature === undefined ? undefined : reads.assessImpact.ofSet(feature, change),
    ]);
    return {
      source: change.source,
      ...preview,
      dryRun: true,
      users: { count },
      ...(impact && { impact: impactJson(impact) }),
    };
  }

  /** Responds to a request for one change. `more` is called after the change, and its result is added to the body. */
  async function respond(
    c: Context,
    change: SourceChange,
    options: RequestedSetChange,
    more: () => Promise<object> = async () => ({}),
  ): Promise<Response> {
    // A set always exists: one that was never changed is empty.
    const present = async () => ({ exists: true, revision: await changeSet.revision(change) });
    const ifRevision = await requiredRevision(c, present);
    if (options.query.dryRun === "true") return c.json(await preview(change, ifRevision), 200, uncached);
    const changed = await apply(change, await claimedOptions(c, idempotencyKeys, { ...options, ifRevision }));
    return c.json({ ...changed, ...(await more()) }, 200, { ...uncached, ETag: `"${changed.revision}"` });
  }

  return { apply, preview, respond };
}
