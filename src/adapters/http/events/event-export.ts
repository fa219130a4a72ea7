import { z } from "@hono/zod-openapi";
import Negotiator from "negotiator";
import type { ReadEvents } from "../../../application/events/read-events.ts";
import type { ChangeTargets } from "../../../application/reverts/change-targets.ts";
import type { TimeZone } from "../../../domain/targeting/wall-clock.ts";
import { type EventFormatName, eventFormats, written } from "../../event-formats.ts";
import { HttpProblem } from "../problems/http-problem.ts";
import { uncached } from "../response-headers.ts";
import type { OperatorRoutes } from "../routing/operator-routes.ts";
import { eventQuery, filterOf } from "./event-schemas.ts";

const names = Object.keys(eventFormats) as [EventFormatName, ...EventFormatName[]];

const format = z.enum(names).optional().describe("Default: the preferred type in `Accept`, otherwise `ndjson`.");

/** `GET /events/export`: all matching events as a file. */
export function eventExportRoutes(
  routes: OperatorRoutes,
  {
    readEvents,
    changeTargets,
    zone,
  }: { readonly readEvents: ReadEvents; readonly changeTargets: ChangeTargets; readonly zone: TimeZone },
) {
  return routes.add(
    {
      method: "get",
      path: "/events/export",
      summary: "Export events",
      description:
        "Streams all matching events, oldest first, without a limit. Events that are recorded after the request are not included. If the connection ends without the last chunk, the export is incomplete.",
      tags: ["Events"],
      scope: "viewer",
      query: eventQuery(zone).safeExtend({ format }),
      responses: {
        200: {
          description:
            "The events, one per line. In CSV, cells that a spreadsheet would run as a formula start with an apostrophe.",
          content: Object.fromEntries(names.map((name) => [eventFormats[name].type, { schema: z.string() }])),
        },
      },
      problems: ["not-acceptable", "log-unavailable"],
    },
    async (c, { query: { format, ...query } }) => {
      const name = format ?? accepted(c.req.header("accept"));
      const pages = await readEvents.all(filterOf(query, changeTargets));
      const headers = {
        ...uncached,
        "Content-Type": `${eventFormats[name].type}; charset=utf-8`,
        "Content-Disposition": `attachment; filename="events.${name}"`,
        Vary: "Accept",
      };
      return new Response(streamOf(written(pages, name)), { headers });
    },
  );
}

/**
 * A stream that takes the next chunk once its reader has taken the one before; `ReadableStream.from` is Node's alone.
 */
function streamOf(chunks: AsyncGenerator<Uint8Array>): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        const { done, value } = await chunks.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: async () => {
        await chunks.return(undefined);
      },
    },
    { highWaterMark: 0 },
  );
}

function accepted(accept: string | undefined): EventFormatName {
  const types = names.map((name) => eventFormats[name].type);
  const type = new Negotiator({ headers: { accept } }).mediaType(types);
  const name = names.find((each) => eventFormats[each].type === type);
  if (!name)
    throw new HttpProblem(
      "not-acceptable",
      `The response is ${types.join(" or ")}. Accept one of them, or send the query parameter "format".`,
    );
  return name;
}
