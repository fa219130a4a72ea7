import { z } from "@hono/zod-openapi";
import type { ReadEvents } from "../../../application/events/read-events.ts";
import type { RecordEvent } from "../../../application/events/record-event.ts";
import type { ChangeTargets } from "../../../application/reverts/change-targets.ts";
import type { TimeZone } from "../../../domain/targeting/wall-clock.ts";
import { eventJson } from "../../event-json.ts";
import { uncached } from "../response-headers.ts";
import { cursorOf, defaultLimit, pageQuery, positionIn } from "../routing/cursor.ts";
import { idempotencyKeyOf, idempotencyKeyParameter } from "../routing/idempotency-key.ts";
import { jsonResponse } from "../routing/json-content.ts";
import { nextLink } from "../routing/next-link.ts";
import type { OperatorRoutes } from "../routing/operator-routes.ts";
import { authorOf } from "../sessions/operators.ts";
import { EventBody, eventQuery, filterOf, LooseEventBody, NewEventBody } from "./event-schemas.ts";

type EventOptions = {
  readonly readEvents: ReadEvents;
  readonly recordEvent: RecordEvent;
  readonly changeTargets: ChangeTargets;
  /** The zone of dates and times without an offset. */
  readonly zone: TimeZone;
  /** Whether `email` is optional and `data` can be any JSON value. */
  readonly isActivityService: boolean;
  /** Path prefix of links. */
  readonly basePath: string;
};

const PageBody = z
  .object({
    events: z.array(EventBody),
    next: z
      .string()
      .optional()
      .describe("The cursor of the next page, as in the `Link` header. Absent on the last page."),
  })
  .openapi("Events");

/**
 * `GET /events` and `POST /events`: reads and records events. A trailing slash is accepted, as in the activity service
 * that Tidegate replaces.
 */
export function eventRoutes(
  routes: OperatorRoutes,
  { readEvents, recordEvent, changeTargets, zone, isActivityService, basePath }: EventOptions,
) {
  return (["/events", "/events/"] as const).flatMap((path) => {
    const list = routes.add(
      {
        method: "get",
        path,
        summary: "List events",
        description:
          "Lists posted events and all changes to features, newest first, including changes outside Tidegate. Returns 100 events by default; follow `next` or the `Link` header to older ones.",
        tags: ["Events"],
        scope: "viewer",
        query: eventQuery(zone).safeExtend(pageQuery("events", ", with the same filters")),
        responses: {
          200: jsonResponse("The events.", PageBody, {
            Link: { description: 'Link to the next page with `rel="next"` (RFC 8288).', schema: { type: "string" } },
          }),
        },
        problems: ["invalid-cursor", "log-unavailable"],
      },
      async (c, { query: { limit = defaultLimit, cursor, ...query } }) => {
        const filter = filterOf(query, changeTargets);
        const position = positionIn(cursor, filter);
        const before = position === undefined ? undefined : Number(position);
        const page = await readEvents.page(filter, limit, before);
        const next = page.next === undefined ? undefined : cursorOf(`${page.next}`, filter);
        const link = next && { Link: nextLink(c.req.url, next, basePath) };
        return c.json({ events: page.events.map((event) => eventJson(event, changeTargets.of(event))), next }, 200, {
          ...uncached,
          ...link,
        });
      },
    );
    const post = routes.add(
      {
        method: "post",
        path,
        summary: "Record an event",
        description: "Appends an event to the log. Events cannot be changed or deleted.",
        tags: ["Events"],
        scope: "recorder",
        parameters: [idempotencyKeyParameter],
        body: isActivityService ? LooseEventBody : NewEventBody,
        responses: { 201: jsonResponse("The recorded event.", EventBody) },
        problems: [
          "invalid-header",
          "invalid-json",
          "payload-too-large",
          "unsupported-media-type",
          "validation-failed",
          "idempotency-key-reused",
          "log-unavailable",
        ],
      },
      async (c, { body }) => {
        const idempotencyKey = idempotencyKeyOf(c);
        const event = await recordEvent(body, {
          ...authorOf(c),
          ...(idempotencyKey !== undefined && { idempotencyKey }),
        });
        return c.json(eventJson(event), 201, uncached);
      },
    );
    return [list, post];
  });
}
