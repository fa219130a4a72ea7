import { z } from "@hono/zod-openapi";
import { v7 as newId } from "uuid";
import { maxAtOnce } from "../../../application/admin/change-set.ts";
import { ChangeRejected, SourceUnavailable, StoreFault, TidegateError } from "../../../domain/errors.ts";
import type { FeatureKey } from "../../../domain/evaluation/feature.ts";
import type { Log } from "../../../infrastructure/logger.ts";
import { problemTypes } from "../problems/problem-types.ts";
import { changeProblems, claimedOptions, DryRunQuery, rejectIfMatch } from "../routing/change-request.ts";
import { idempotencyKeyParameter } from "../routing/idempotency-key.ts";
import { jsonResponse } from "../routing/json-content.ts";
import type { OperatorRoutes } from "../routing/operator-routes.ts";
import { AppliedItem, BulkItem, type BulkUseCases, bulkChanges, catalogueSource } from "./bulk-item.ts";
import { logRejectedChange } from "./rejected-change.ts";
import { onlyFeatureOf } from "./set-changes.ts";

const maxItems = 1_000;
/** In bytes. Fits 10,000 feature keys of maximum length and 1,000 contexts. */
const maxBodyBytes = 4_194_304;

const BulkBody = z
  .strictObject({
    changes: z
      .array(BulkItem)
      .describe(`At most ${maxItems} changes with ${maxAtOnce} features in total. Each change is atomic.`),
  })
  .openapi("Changes", {
    example: {
      changes: [
        { source: "user", context: { userId: "1" }, add: ["feature_3"], remove: ["feature_4"] },
        { source: "active", add: ["feature_3"] },
        { source: "rollout", feature: "feature_3", rule: { percentage: 25 } },
        { feature: "feature_3", catalogue: { description: "The new menu", tags: ["web"] } },
      ],
    },
  });

const Rejected = z.object({
  status: z.int().describe("The status of the same change as a request of its own."),
  source: z.string(),
  code: z.string(),
  detail: z.string(),
});
const Result = z.union([AppliedItem, Rejected]);
type Result = z.output<typeof Result>;

/** `POST /admin/v1/changes`: applies many changes in one request. */
export function bulkRoutes(routes: OperatorRoutes, use: BulkUseCases & { readonly log: Log }) {
  const changes = bulkChanges(use);
  return routes.add(
    {
      method: "post",
      path: "/admin/v1/changes",
      summary: "Change several sets, rules and descriptions",
      description:
        "Applies the changes in order. A rejected change does not stop the others. After a store fails, the remaining changes are not tried and can be sent again.",
      tags: ["Admin"],
      scope: "editor",
      parameters: [idempotencyKeyParameter],
      query: DryRunQuery,
      body: BulkBody,
      maxBodyBytes,
      responses: {
        200: jsonResponse("The result of each change, in the same order.", z.object({ results: z.array(Result) })),
      },
      problems: [...changeProblems, "change-too-large"],
    },
    async (c, { query, body }) => {
      rejectIfMatch(c, "set `ifRevision` of each change in the body");
      demandFew(body.changes);
      const isDryRun = query.dryRun === "true";
      const options = isDryRun ? undefined : await claimedOptions(c, use.idempotencyKeys, { query, body });
      const reads = { assessImpact: use.assessImpact.together(previewedIn(body.changes)), contents: new Map() };
      const batch = newId();
      const logRejection = (error: Error) => logRejectedChange(use.log, error, c.req.header("x-request-id"));
      const results = await inTurn(body.changes, logRejection, (change, index) => {
        if (!options) return changes.preview(change, reads);
        const { ifRevision } = change;
        // Each change of the request needs its own idempotency key, even for the same set.
        const own = options.idempotencyKey !== undefined && { idempotencyKey: `${options.idempotencyKey}.${index}` };
        return changes.apply(change, { ...options, ...own, batch, ...(ifRevision !== undefined && { ifRevision }) });
      });
      return { results };
    },
  );
}

/** The features whose impact a dry run has. */
const previewedIn = (items: readonly BulkItem[]): readonly FeatureKey[] => [
  ...new Set(items.flatMap((item) => item.feature ?? onlyFeatureOf(item) ?? [])),
];

function demandFew(items: readonly BulkItem[]): void {
  const features = items.reduce((sum, { add, remove }) => sum + Math.max(1, add.length + remove.length), 0);
  if (items.length <= maxItems && features <= maxAtOnce) return;
  throw new ChangeRejected(
    `A request has at most ${maxItems} changes with ${maxAtOnce} features in total. Split it.`,
    "change-too-large",
  );
}

async function inTurn(
  items: readonly BulkItem[],
  logRejection: (error: Error) => void,
  task: (item: BulkItem, index: number) => ReturnType<ReturnType<typeof bulkChanges>["apply"]>,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  let unavailable: SourceUnavailable | undefined;
  for (const [index, item] of items.entries()) {
    try {
      if (unavailable) throw unavailable;
      results.push({ status: 200, ...(await task(item, index)) });
    } catch (error) {
      if (!(error instanceof TidegateError)) throw error;
      logRejection(error);
      if (error instanceof SourceUnavailable && !(error.cause instanceof StoreFault)) unavailable = error;
      const { code, message: detail } = error;
      results.push({ status: problemTypes[code].status, source: item.source ?? catalogueSource, code, detail });
    }
  }
  return results;
}
