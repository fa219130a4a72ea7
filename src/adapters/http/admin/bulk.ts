import { type OpenAPIHono, z } from "@hono/zod-openapi";
import { mostAtOnce } from "../../../application/admin/change-set.ts";
import type { IdempotencyKeys } from "../../../domain/admin/idempotency-keys.ts";
import { ChangeRejected, SourceUnavailable, StoreFault, TidegateError } from "../../../domain/errors.ts";
import type { Log } from "../../../infrastructure/logger.ts";
import { checkedRoute } from "../kit/checked-route.ts";
import { idempotencyKeyParameter } from "../kit/idempotency-key.ts";
import { jsonContent } from "../kit/json-content.ts";
import type { Operators } from "../kit/operators.ts";
import { problemResponses } from "../kit/problem-responses.ts";
import { problemTypes } from "../kit/problem-types.ts";
import { uncached } from "../kit/response-headers.ts";
import { changeAuthor, changeProblems, demandNoIfMatch, TrialQuery } from "./change-request.ts";
import { revisionIn } from "./entity-tag.ts";
import { logRefusedChange } from "./rejected-change.ts";
import { Changed, type SetChanges } from "./set-changes.ts";

const mostItems = 1_000;
/** In bytes. Fits 10,000 feature keys of maximum length and 1,000 contexts. */
const longestBody = 4_194_304;

const Item = z
  .strictObject({
    source: z.string(),
    context: z
      .strictObject({
        userId: z.string().optional(),
        location: z.string().optional(),
      })
      .default({})
      .openapi({ description: "Just the fields of the source's key." }),
    add: z.array(z.string()).default([]),
    remove: z.array(z.string()).default([]),
    ifRevision: z
      .string()
      .transform((text, context) => {
        const revision = revisionIn(text);
        if (revision !== undefined) return revision;
        context.addIssue("is no revision; send the `revision` of a read or a change");
        return z.NEVER;
      })
      .optional()
      .openapi({ type: "string", description: "Only while the set is at this revision." }),
  })
  .refine(({ add, remove }) => add.length + remove.length > 0, "adds and removes nothing; name a feature");
type Item = z.output<typeof Item>;

const BulkBody = z
  .strictObject({
    changes: z.array(Item).openapi({
      description: `At most ${mostItems}, with ${mostAtOnce} features in all. Each is made whole or not at all, by itself.`,
    }),
  })
  .openapi("Changes", {
    example: {
      changes: [
        { source: "user", context: { userId: "1" }, add: ["feature_3"], remove: ["feature_4"] },
        { source: "active", add: ["feature_3"] },
      ],
    },
  });

const Refused = z.object({
  status: z.int().openapi({ description: "As if the change had been asked for alone." }),
  source: z.string(),
  code: z.string(),
  detail: z.string(),
});
const Made = Changed.extend({ status: z.literal(200) });
type Result = z.output<typeof Refused> | z.output<typeof Made>;

/** `POST /admin/v1/changes`: applies many changes in one request. */
export function bulkRoute(
  app: OpenAPIHono,
  operators: Operators,
  changes: SetChanges,
  claims: IdempotencyKeys | undefined,
  log: Log,
): void {
  checkedRoute(
    app,
    {
      method: "post",
      path: "/admin/v1/changes",
      summary: "Change many sets",
      description:
        "One after the other, in the order given. Where one is refused the others are made; once a store does not answer, those after it are not tried, and may be sent again.",
      tags: ["Admin"],
      ...operators.atLeast("editor"),
      parameters: [idempotencyKeyParameter],
      query: TrialQuery,
      body: BulkBody,
      longestBody,
      responses: {
        200: {
          description: "What became of each, in the same order.",
          content: jsonContent(z.object({ results: z.array(z.union([Made, Refused])) })),
        },
        ...problemResponses(...changeProblems, "payload-too-large", "change-too-large"),
      },
    },
    async (c, { query, body }) => {
      demandNoIfMatch(c, "give each change its own `ifRevision` in the body");
      demandFew(body.changes);
      const isTrial = query.dryRun === "true";
      const author = isTrial ? undefined : await changeAuthor(c, claims, { query, body });
      const refused = (error: Error) => logRefusedChange(log, error, c.req.header("x-request-id"));
      const results = await inTurn(body.changes, refused, ({ ifRevision, ...change }, index) => {
        if (!author) return changes.try(change, ifRevision);
        // Each change of the request needs its own idempotency key, even for the same set.
        const once = author.idempotencyKey !== undefined && { idempotencyKey: `${author.idempotencyKey}.${index}` };
        return changes.make(change, { ...author, ...once, ...(ifRevision !== undefined && { ifRevision }) });
      });
      return c.json({ results }, 200, uncached);
    },
  );
}

function demandFew(items: readonly Item[]): void {
  const features = items.reduce((sum, { add, remove }) => sum + add.length + remove.length, 0);
  if (items.length <= mostItems && features <= mostAtOnce) return;
  throw new ChangeRejected(
    `One request makes at most ${mostItems} changes, with ${mostAtOnce} features in all; send several.`,
    "change-too-large",
  );
}

async function inTurn(
  items: readonly Item[],
  refused: (error: Error) => void,
  task: (item: Item, index: number) => Promise<Changed>,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  let away: SourceUnavailable | undefined;
  for (const [index, item] of items.entries()) {
    try {
      if (away) throw away;
      results.push({ status: 200, ...(await task(item, index)) });
    } catch (error) {
      if (!(error instanceof TidegateError)) throw error;
      refused(error);
      if (error instanceof SourceUnavailable && !(error.cause instanceof StoreFault)) away = error;
      const { code, message: detail } = error;
      results.push({ status: problemTypes[code].status, source: item.source, code, detail });
    }
  }
  return results;
}
