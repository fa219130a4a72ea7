import { type OpenAPIHono, z } from "@hono/zod-openapi";
import { LRUCache } from "lru-cache";
import type { SearchBound, SearchItems } from "../../../application/feeds/search-items.ts";
import type { KnownItem } from "../../../domain/feeds/item.ts";
import type { TimelinePosition } from "../../../domain/feeds/timeline.ts";
import type { TimeZone } from "../../../domain/targeting/wall-clock.ts";
import { dateForms, writtenDate } from "../../dates.ts";
import { HttpProblem } from "../problems/http-problem.ts";
import { problemResponses } from "../problems/problem-responses.ts";
import { securityHeaders } from "../response-headers.ts";
import { cursorOf, nextCursor, positionIn } from "../routing/cursor.ts";
import { jsonResponse } from "../routing/json-content.ts";
import { nextLink } from "../routing/next-link.ts";
import { queryOf, wholeNumber } from "../routing/query.ts";

export const searchPath = "/search";

const maxAtOnce = 1_000;

const bound = (description: string, zone: TimeZone) =>
  z
    .string()
    .transform((text, context): SearchBound => {
      const written = writtenDate(text, zone);
      if (written) return written;
      context.addIssue(`is invalid (expected ${dateForms}; encode + as %2B)`);
      return z.NEVER;
    })
    .optional()
    .openapi({ type: "string", description, example: "2021-02-01" });

const searchQuery = (zone: TimeZone) =>
  z.strictObject({
    starts_at: bound(`The earliest start: ${dateForms}. A date counts in the time zone of each item.`, zone),
    ends_at: bound("The latest end, as `starts_at`.", zone),
    limit: wholeNumber(1, maxAtOnce).optional().describe(`Maximum number of items (default: ${maxAtOnce}).`),
    cursor: z.string().optional().describe("`next` of the previous page, with the same window."),
  });

const nullable = <Schema extends z.ZodType>(schema: Schema, description: string) =>
  schema.nullable().describe(`${description}. Null if the document has none.`);

/** Without the format `time` of JSON Schema, which has an offset. */
const time = z.string().regex(/^\d\d:\d\d:\d\d$/);

const itemShape = {
  id: z.uuid().describe("Stable id of the item."),
  title: nullable(z.string(), "The title"),
  start_date: z.iso.date(),
  start_time: nullable(time, "Local time at the venue"),
  end_date: z.iso.date(),
  end_time: nullable(time, "Local time at the venue"),
  min_price: nullable(z.number(), "The lowest price"),
  max_price: nullable(z.number(), "The highest price"),
};
const itemExample = {
  id: "0fb5a2f1-57c3-5a3e-9b43-5d8a7f0a2c11",
  title: "An evening of pop",
  start_date: "2021-06-30",
  start_time: "21:00:00",
  end_date: "2021-06-30",
  end_time: "22:00:00",
  min_price: 15,
  max_price: 30,
};

const SearchBody = z
  .object({
    data: z.object({ events: z.array(z.object(itemShape)) }),
    error: z.null(),
    next: nextCursor,
  })
  .openapi("Found", { example: { data: { events: [itemExample] }, error: null } });

const ItemBody = z
  .object({
    data: z.object({
      event: z.object({
        ...itemShape,
        features: z.array(z.string()).describe("The features that the item switches on while it is offered."),
      }),
    }),
    error: z.null(),
  })
  .openapi("FoundItem", { example: { data: { event: { ...itemExample, features: ["event:291"] } }, error: null } });

const headers = {
  "Content-Type": "application/json",
  "X-Content-Type-Options": securityHeaders["X-Content-Type-Options"],
  "Referrer-Policy": securityHeaders["Referrer-Policy"],
  "Cache-Control": "no-cache",
} as const;

type Prepared = { readonly generation: number; readonly body: string; readonly link: string | undefined };

/** `GET /search`: items of feeds in a time window, now and in the past; and a single item by id. */
export function searchRoutes(app: OpenAPIHono, searchItems: SearchItems, zone: TimeZone, basePath: string): void {
  const schema = searchQuery(zone);
  const responses = new LRUCache<string, Prepared>({
    max: 100,
    maxSize: 5_000_000,
    sizeCalculation: ({ body }, url) => body.length + url.length,
  });
  app.openAPIRegistry.registerPath({
    method: "get",
    path: searchPath,
    summary: "Search items of feeds",
    description:
      "Returns the items that start and end within the window, by start time. Includes past items and items that the documents no longer list, if they were offered at some time. Works while partners are unavailable. Empty without feeds.",
    tags: ["Search"],
    request: { query: schema },
    responses: {
      200: jsonResponse("The items. Problems have `data: null`, and `error` with `code` and `message`.", SearchBody, {
        Link: { description: 'Link to the next page with `rel="next"` (RFC 8288).', schema: { type: "string" } },
      }),
      ...problemResponses("invalid-query", "invalid-window", "invalid-cursor", "source-unavailable"),
    },
  });
  app.openAPIRegistry.registerPath({
    method: "get",
    path: `${searchPath}/{id}`,
    summary: "Get an item of a feed",
    description: "Returns the item and its features. Includes past items and items that the documents no longer list.",
    tags: ["Search"],
    request: { params: z.object({ id: itemShape.id }) },
    responses: {
      200: jsonResponse("The item.", ItemBody),
      ...problemResponses("invalid-query", "unknown-item", "source-unavailable"),
    },
  });
  app.get(`${searchPath}/:id`, async (c) => {
    queryOf(c.req.url, z.strictObject({}));
    const item = await searchItems.one(c.req.param("id").toLowerCase());
    const features = JSON.stringify(item.features);
    const body = `{"data":{"event":${textOf(item).slice(0, -1)},"features":${features}}},"error":null}`;
    return new Response(body, { headers });
  });
  app.get(searchPath, async (c) => {
    const { url } = c.req;
    const { generation } = searchItems;
    let response = responses.get(url);
    if (response?.generation !== generation) {
      response = await prepared(url, schema, searchItems, basePath);
      // Cached only if no feed changed during the search; otherwise it is unknown which changes the response includes.
      if (searchItems.generation === response.generation) responses.set(url, response);
    }
    const { body, link } = response;
    return new Response(body, { headers: link === undefined ? headers : { ...headers, Link: link } });
  });
}

async function prepared(
  url: string,
  schema: ReturnType<typeof searchQuery>,
  searchItems: SearchItems,
  basePath: string,
): Promise<Prepared> {
  const { starts_at: from, ends_at: to, limit = maxAtOnce, cursor } = queryOf(url, schema);
  demandOrder(from, to);
  const position = positionIn(cursor, [from, to]);
  const after: TimelinePosition | undefined = position && JSON.parse(position);
  const found = await searchItems.search({ from, to, after, limit });
  const next = found.next && cursorOf(JSON.stringify(found.next), [from, to]);
  return {
    generation: searchItems.generation,
    body: `{"data":{"events":[${found.items.map(textOf).join(",")}]},"error":null${next === undefined ? "" : `,"next":${JSON.stringify(next)}`}}`,
    link: next && nextLink(url, next, basePath),
  };
}

/**
 * Throws `HttpProblem` `invalid-window` if `from` is after `to`. A start date counts from its first instant, an end
 * date to its last. Dates count in UTC here, because a date in a search is a day on the calendar of each item.
 */
function demandOrder(from: SearchBound | undefined, to: SearchBound | undefined): void {
  if (!from || !to) return;
  const start = "at" in from ? from.at : Date.parse(from.date);
  const end = "at" in to ? to.at : Date.parse(`${to.date}T23:59:59.999Z`);
  if (start > end) {
    throw new HttpProblem("invalid-window", "starts_at is after ends_at. Swap them.");
  }
}

/**
 * Writes the JSON by hand, in a third of the time of `JSON.stringify` on an object. Only the title can need escaping.
 */
const textOf = ({ uuid, title, start, end, minPrice, maxPrice }: KnownItem): string =>
  `{"id":"${uuid}","title":${JSON.stringify(title)},"start_date":"${start.date}","start_time":${textIn(start.time)},"end_date":"${end.date}","end_time":${textIn(end.time)},"min_price":${minPrice},"max_price":${maxPrice}}`;

const textIn = (time: string | null): string => (time === null ? "null" : `"${time}"`);
