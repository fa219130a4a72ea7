import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { FindEvent } from "../../../application/reverts/find-event.ts";
import type { RevertEvent, Reverted } from "../../../application/reverts/revert-event.ts";
import type { IdempotencyKeys } from "../../../domain/admin/idempotency-keys.ts";
import { type EventJson, eventJson } from "../../event-json.ts";
import { changeProblems, claimedOptions, DryRunQuery, rejectBody, rejectIfMatch } from "../routing/change-request.ts";
import { idempotencyKeyParameter } from "../routing/idempotency-key.ts";
import { jsonResponse } from "../routing/json-content.ts";
import type { OperatorRoutes } from "../routing/operator-routes.ts";
import { pathParameter } from "../routing/path-parameters.ts";
import { EventBody } from "./event-schemas.ts";

const idParameter = pathParameter(
  "id",
  "The id of the event, or its position in the log.",
  "019aa5c1-8c1e-7f3a-9d43-5a1f6f0c2b11",
);

const value = (description: string) => z.unknown().optional().describe(description);

const EventDetailsBody = EventBody.extend({
  before: value(
    "Only on a change of a rule or description: the value before. Null if there was none, absent if the log does not have it.",
  ),
  after: value("Only on a change of a rule or description: the value after. Null if it was removed."),
}).openapi("EventDetails");

const RevertedBody = z
  .object({
    reverted: z.string().describe("The id of the reverted event."),
    event: z
      .string()
      .nullable()
      .describe(
        "The event of the revert, also if it was reverted already. Null in the dry run of another, and if the log does not have it yet.",
      ),
    key: z.string().describe("The changed set, rule or description."),
    sources: z.array(z.string()).readonly().describe("The sources that read it."),
    added: z.array(z.string()).readonly().describe("The features that the revert adds to the set."),
    removed: z.array(z.string()).readonly().describe("The features that it removes from the set."),
    before: value("The rule or description before the revert. Absent for a set."),
    after: value("The rule or description after the revert; null if it is removed. Absent for a set."),
    dryRun: z.literal(true).optional().describe("Only in a dry run: nothing was changed."),
  })
  .openapi("Reverted", {
    example: {
      reverted: "019aa5c1-8c1e-7f3a-9d43-5a1f6f0c2b11",
      event: "019aa5c1-9d02-7b11-8e21-0c7e9f5d3a42",
      key: "tidegate:killed",
      sources: ["killed"],
      added: [],
      removed: ["feature_1"],
    },
  });

/** `GET /events/{id}` and `POST /admin/v1/events/{id}/revert`: one event, and its revert. */
export function eventDetailsRoutes(
  routes: OperatorRoutes,
  {
    findEvent,
    revertEvent,
    idempotencyKeys,
  }: {
    readonly findEvent: FindEvent;
    readonly revertEvent: RevertEvent;
    readonly idempotencyKeys: IdempotencyKeys | undefined;
  },
) {
  const view = routes.add(
    {
      method: "get",
      path: "/events/{id}",
      summary: "Get an event",
      description: "With the value before and after a change of a rule or description.",
      tags: ["Events"],
      scope: "viewer",
      parameters: [idParameter],
      responses: { 200: jsonResponse("The event.", EventDetailsBody) },
      problems: ["unknown-event", "log-unavailable"],
    },
    async (c) => {
      const event = await findEvent.one(idIn(c));
      const record = event.change?.record;
      const values = record?.of === "document" && { before: await findEvent.before(event), after: record.value };
      const shown: EventJson = eventJson(event, findEvent.targetOf(event));
      return { ...shown, ...values };
    },
  );

  const revert = routes.add(
    {
      method: "post",
      path: "/admin/v1/events/{id}/revert",
      summary: "Revert a change",
      description:
        "Makes the inverse change of an event: of a set, a kill, a rule or a description. The new event has the id of the reverted one in `data.reverts`. Rejected if a later event changed the same, unless that one was reverted. Idempotent: a change that is reverted already is not changed again; the effect is empty, and `event` is its revert.",
      tags: ["Events"],
      scope: "editor",
      parameters: [idParameter, idempotencyKeyParameter],
      query: DryRunQuery,
      responses: { 200: jsonResponse("The revert.", RevertedBody) },
      problems: [
        ...changeProblems,
        "unknown-event",
        "not-revertible",
        "changed-since",
        "invalid-feature-key",
        "change-too-large",
        "store-full",
        "log-unavailable",
      ],
    },
    async (c, { query }) => {
      rejectIfMatch(c, "the revert itself requires that nothing changed since");
      await rejectBody(c);
      const id = idIn(c);
      if (query.dryRun === "true") {
        return { ...revertedJson(await revertEvent.preview(id)), dryRun: true as const };
      }
      const options = await claimedOptions(c, idempotencyKeys, { query });
      return revertedJson(await revertEvent.revert(id, options));
    },
  );

  return [view, revert];
}

const idIn = (c: Context): string => c.req.param("id") ?? "";

const revertedJson = ({ event, ...revert }: Reverted) => ({ ...revert, event: event?.id ?? null });
