import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { ReadEvents } from "../../../application/events/read-events.ts";
import type { TailEvents } from "../../../application/events/tail-events.ts";
import type { ChangeTargets } from "../../../application/reverts/change-targets.ts";
import type { Event } from "../../../domain/events/event.ts";
import type { TimeZone } from "../../../domain/targeting/wall-clock.ts";
import { eventJson } from "../../event-json.ts";
import { HttpProblem } from "../problems/http-problem.ts";
import { streamHeaders } from "../response-headers.ts";
import type { OperatorRoutes } from "../routing/operator-routes.ts";
import { eventQuery, filterOf } from "./event-schemas.ts";
import type { EventStreams } from "./event-streams.ts";

/** `GET /events/stream`: streams events as they are recorded. */
export function eventTailRoutes(
  routes: OperatorRoutes,
  {
    readEvents,
    tailEvents,
    eventStreams,
    changeTargets,
    zone,
  }: {
    readonly readEvents: ReadEvents;
    readonly tailEvents: TailEvents;
    readonly eventStreams: EventStreams;
    readonly changeTargets: ChangeTargets;
    readonly zone: TimeZone;
  },
) {
  return routes.add(
    {
      method: "get",
      path: "/events/stream",
      summary: "Stream events",
      description:
        "Streams matching events as Server-Sent Events. The id of a message is the position of its event. Starts after the request, or after the event in `Last-Event-ID`. Sends a comment every 15 s as heartbeat. Closes a stream whose reader takes nothing for 30 s.",
      tags: ["Events"],
      scope: "viewer",
      query: eventQuery(zone),
      parameters: [
        {
          name: "Last-Event-ID",
          in: "header",
          description: "The id of the last received message. The stream continues after it.",
          schema: { type: "integer", minimum: 0 },
        },
      ],
      responses: {
        200: {
          description:
            "The stream. It ends when the service stops or reloads its configuration; reconnect with `Last-Event-ID`. It also ends when the credential is revoked.",
          content: {
            "text/event-stream": {
              schema: z.string(),
              example: 'id: 4711\ndata: {"component":"order","data":{"age":20},"message":"order failed",…}\n\n',
            },
          },
        },
      },
      problems: ["invalid-header", "too-many-streams", "log-unavailable"],
    },
    async (c, { query }) => {
      const { position: head } = await readEvents.head();
      const after = lastEventId(c, head) ?? head;
      if (c.req.method === "HEAD") return new Response(null, { headers: streamHeaders });
      const filter = filterOf(query, changeTargets);
      const isAllowed = () => routes.operators.include(c);
      return eventStreams.respond((until) =>
        messages(after, tailEvents.follow(filter, after, head, until), changeTargets, isAllowed),
      );
    },
  );
}

function lastEventId(c: Context, head: number): number | undefined {
  const value = c.req.header("last-event-id");
  if (value === undefined) return undefined;
  const position = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
  if (position <= head) return position;
  throw new HttpProblem(
    "invalid-header",
    "Invalid Last-Event-ID (expected the id of a message of this stream). Omit it, and read the missed events from /events.",
  );
}

const message = (event: Event, targets: ChangeTargets): string =>
  `id: ${event.position}\ndata: ${JSON.stringify(eventJson(event, targets.of(event)))}\n\n`;

/**
 * Messages of an event stream. The first one is the start position, so that a client that loses the connection before
 * the first event can resume. Ends before the first events that the reader may no longer read.
 */
async function* messages(
  after: number,
  pages: AsyncIterable<readonly Event[]>,
  targets: ChangeTargets,
  isAllowed: () => Promise<boolean>,
): AsyncGenerator<string> {
  yield `id: ${after}\n\n`;
  for await (const events of pages) {
    if (!(await isAllowed())) return;
    yield events.map((event) => message(event, targets)).join("");
  }
}
