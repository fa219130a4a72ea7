import { type OpenAPIHono, z } from "@hono/zod-openapi";
import Negotiator from "negotiator";
import type { ReadEvents } from "../../../application/events/read-events.ts";
import { checkedRoute } from "../kit/checked-route.ts";
import { HttpProblem } from "../kit/http-problem.ts";
import type { Operators } from "../kit/operators.ts";
import { problemResponses } from "../kit/problem-responses.ts";
import { uncached } from "../kit/response-headers.ts";
import { type EventFormatName, eventFormats, written } from "./event-formats.ts";
import { type eventQuery, filterOf } from "./event-schemas.ts";

const names = Object.keys(eventFormats) as [EventFormatName, ...EventFormatName[]];

const format = z
  .enum(names)
  .optional()
  .openapi({ description: "Left out, it is what `Accept` likes best, and `ndjson` where all are the same to it." });

/** `GET /events/export`: all matching events as a file. */
export function eventExport(
  app: OpenAPIHono,
  operators: Operators,
  read: ReadEvents,
  query: ReturnType<typeof eventQuery>,
): void {
  checkedRoute(
    app,
    {
      method: "get",
      path: "/events/export",
      summary: "All events that fit, oldest first, as a file",
      description:
        "Written while it is read, however many there are. What is recorded after the request came is not in it. A connection that ends without its last chunk is an export that is not whole.",
      tags: ["Events"],
      ...operators.atLeast("viewer"),
      query: query.safeExtend({ format }),
      responses: {
        200: {
          description:
            "The events, a line each. In CSV a cell that a spreadsheet would take for a formula begins with an apostrophe.",
          content: Object.fromEntries(names.map((name) => [eventFormats[name].type, { schema: z.string() }])),
        },
        ...problemResponses("unauthenticated", "invalid-query", "not-acceptable", "log-unavailable"),
      },
    },
    async (c, { query: { format, ...query } }) => {
      const name = format ?? accepted(c.req.header("accept"));
      const pages = await read.all(filterOf(query));
      const headers = {
        ...uncached,
        "Content-Type": `${eventFormats[name].type}; charset=utf-8`,
        "Content-Disposition": `attachment; filename="events.${name}"`,
        Vary: "Accept",
      };
      return new Response(ReadableStream.from(written(pages, name)), { headers });
    },
  );
}

function accepted(accept: string | undefined): EventFormatName {
  const types = names.map((name) => eventFormats[name].type);
  const type = new Negotiator({ headers: { accept } }).mediaType(types);
  const name = names.find((each) => eventFormats[each].type === type);
  if (!name)
    throw new HttpProblem("not-acceptable", `The answer is ${types.join(" or ")}; accept one, or send format.`);
  return name;
}
