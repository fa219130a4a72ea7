import { z } from "@hono/zod-openapi";
import type { FeedState, ViewFeedItems } from "../../../application/feeds/view-feed-items.ts";
import { instantText } from "../../../domain/evaluation/evaluation-context.ts";
import type { KnownItem } from "../../../domain/feeds/item.ts";
import { instantJson } from "../../instant-json.ts";
import { uncached } from "../response-headers.ts";
import { rejectBody } from "../routing/change-request.ts";
import { cursorOf, defaultLimit, nextCursor, pageQuery, positionIn } from "../routing/cursor.ts";
import { jsonResponse } from "../routing/json-content.ts";
import type { OperatorRoutes } from "../routing/operator-routes.ts";
import { readProblems, sourceIn, sourceParameter } from "../routing/path-parameters.ts";
import { FeedStateBody, feedStateJson } from "./feed-state.ts";

const PageQuery = z.strictObject(pageQuery("items"));

const instant = z.iso.datetime();

const ItemBody = z
  .object({
    id: z.string().describe("The id that the mapping derives."),
    title: z.string().nullable(),
    start: instant,
    end: instant,
    minPrice: z.number().nullable(),
    maxPrice: z.number().nullable(),
    features: z.array(z.string()).readonly().describe("The features that the item switches on while it is offered."),
    onFrom: instant,
    onUntil: instant,
    offered: z.boolean().describe("Whether the item met the conditions in the last document that lists it."),
    everOffered: z
      .boolean()
      .describe("Whether the item ever met the conditions. Only such items are in `GET /search`."),
    listed: z.boolean().describe("Whether the last document lists the item."),
    lastListed: instant.nullable(),
    metadata: z.record(z.string(), z.unknown()).describe("The metadata that the mapping derives."),
  })
  .openapi("Item");

const Fault = z.object({ id: z.string().nullable(), fault: z.string() });

const ItemsBody = z
  .object({
    source: z.string(),
    state: FeedStateBody,
    faults: z.array(Fault).readonly().describe("Invalid items of the last document, about 100 at most."),
    items: z.array(ItemBody),
    next: nextCursor,
  })
  .openapi("Items");

/** The items of a feed: reads their state, and polls the feed on request. */
export function itemRoutes(routes: OperatorRoutes, { viewFeedItems }: { readonly viewFeedItems: ViewFeedItems }) {
  const list = routes.add(
    {
      method: "get",
      path: "/admin/v1/sources/{source}/items",
      summary: "List the items of a feed",
      description:
        "Lists all items that were ever in the document, by start time, with the state of the feed and the invalid items.",
      tags: ["Admin"],
      scope: "viewer",
      parameters: [sourceParameter],
      query: PageQuery,
      responses: { 200: jsonResponse("The items.", ItemsBody) },
      problems: [...readProblems, "invalid-cursor"],
    },
    async (c, { query: { limit = defaultLimit, cursor } }) => {
      const source = sourceIn(c);
      const after = positionIn(cursor, source);
      const { state, items, next } = await viewFeedItems.page(source, limit, after && JSON.parse(after));
      const page = {
        ...feedJson(source, state),
        items: items.map((item) => itemJson(item, state)),
        next: next && cursorOf(JSON.stringify(next), source),
      };
      return page;
    },
  );

  const poll = routes.add(
    {
      method: "post",
      path: "/admin/v1/sources/{source}/poll",
      summary: "Poll a feed now",
      description:
        "Responds after the poll, successful or not; `state.failure` has the error. Takes at most three times `fetchTimeoutMs` plus 2.5 s.",
      tags: ["Admin"],
      scope: "editor",
      parameters: [sourceParameter],
      responses: {
        200: jsonResponse("The result of the poll.", ItemsBody.pick({ source: true, state: true, faults: true })),
        202: jsonResponse(
          "The poll is still running. `state` is the previous state.",
          ItemsBody.pick({ source: true, state: true, faults: true }),
        ),
      },
      problems: [...readProblems, "invalid-json", "unsupported-media-type", "validation-failed", "payload-too-large"],
    },
    async (c) => {
      await rejectBody(c);
      const source = sourceIn(c);
      const { state, isRead } = await viewFeedItems.poll(source);
      return c.json(feedJson(source, state), isRead ? 200 : 202, uncached);
    },
  );

  return [list, poll];
}

const feedJson = (source: string, state: FeedState) => ({
  source,
  state: feedStateJson(state),
  faults: state.poll?.faults ?? [],
});

const itemJson = (item: KnownItem, { poll }: FeedState): z.output<typeof ItemBody> => ({
  id: item.id,
  title: item.title,
  start: instantText(item.start.at),
  end: instantText(item.end.at),
  minPrice: item.minPrice,
  maxPrice: item.maxPrice,
  features: item.features,
  onFrom: instantText(item.onFrom),
  onUntil: instantText(item.onUntil),
  offered: item.isOffered,
  everOffered: item.wasOffered,
  listed: item.lastListedAt === null,
  lastListed: instantJson(item.lastListedAt ?? poll?.succeededAt),
  metadata: item.metadata,
});
