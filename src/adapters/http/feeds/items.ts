import { type OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { FeedState, ViewFeedItems } from "../../../application/feeds/view-feed-items.ts";
import type { KnownItem } from "../../../domain/feeds/item.ts";
import { demandNoBody } from "../admin/change-request.ts";
import { checkedRoute } from "../kit/checked-route.ts";
import { positionIn, textCursor } from "../kit/cursor.ts";
import { jsonContent } from "../kit/json-content.ts";
import type { Operators } from "../kit/operators.ts";
import { problemResponses } from "../kit/problem-responses.ts";
import { wholeNumber } from "../kit/query.ts";
import { uncached } from "../kit/response-headers.ts";
import { FeedStateBody, shownInstant, shownState } from "./feed-state.ts";

const defaultLimit = 100;

const PageQuery = z.strictObject({
  limit: wholeNumber(1, 1_000)
    .optional()
    .openapi({ description: `At most so many; ${defaultLimit} unless given.` }),
  cursor: z.string().optional().openapi({ description: "`next` of the page before." }),
});

const instant = z.iso.datetime();

const ItemBody = z
  .object({
    id: z.string().openapi({ description: "As the mapping makes it." }),
    title: z.string().nullable(),
    start: instant,
    end: instant,
    minPrice: z.number().nullable(),
    maxPrice: z.number().nullable(),
    features: z.array(z.string()).readonly().openapi({ description: "What it switches on, while it is offered." }),
    onFrom: instant,
    onUntil: instant,
    offered: z.boolean().openapi({ description: "Whether it met the conditions when it was listed last." }),
    everOffered: z.boolean().openapi({ description: "Whether it ever did; only then it is found by searching." }),
    listed: z.boolean().openapi({ description: "Whether the document that was read last lists it." }),
    lastListed: instant.nullable(),
    metadata: z.record(z.string(), z.unknown()).openapi({ description: "As mapped." }),
  })
  .openapi("Item");

const Fault = z.object({ id: z.string().nullable(), fault: z.string() });

const ItemsBody = z
  .object({
    source: z.string(),
    state: FeedStateBody,
    faults: z
      .array(Fault)
      .readonly()
      .openapi({ description: "Items of the last document that cannot be used; at most 100 or so." }),
    items: z.array(ItemBody),
    next: z.string().optional().openapi({ description: "The cursor of the next page; left out on the last." }),
  })
  .openapi("Items");

const nameParameter = {
  name: "name",
  in: "path",
  required: true,
  description: "The source.",
  schema: { type: "string" },
  example: "fever",
} as const;

const problems = [
  "unauthenticated",
  "invalid-query",
  "unknown-source",
  "not-changeable",
  "source-unavailable",
] as const;

/** The items of a feed: reads their state, and polls the feed on request. */
export function itemRoutes(app: OpenAPIHono, operators: Operators, viewItems: ViewFeedItems): void {
  checkedRoute(
    app,
    {
      method: "get",
      path: "/admin/v1/sources/{name}/items",
      summary: "What is known of a partner's items",
      description:
        "In the order in which they begin, with what the last document had wrong. All that were ever listed.",
      tags: ["Admin"],
      ...operators.atLeast("viewer"),
      parameters: [nameParameter],
      query: PageQuery,
      responses: {
        200: { description: "The items.", content: jsonContent(ItemsBody) },
        ...problemResponses(...problems, "invalid-cursor"),
      },
    },
    async (c, { query: { limit = defaultLimit, cursor } }) => {
      const source = nameIn(c);
      const after = cursor === undefined ? undefined : JSON.parse(positionIn(cursor, source));
      const { state, items, next } = await viewItems.page(source, limit, after);
      const page = {
        ...shown(source, state),
        items: items.map((item) => shownItem(item, state)),
        next: next && textCursor(JSON.stringify(next), source),
      };
      return c.json(page, 200, uncached);
    },
  );

  checkedRoute(
    app,
    {
      method: "post",
      path: "/admin/v1/sources/{name}/poll",
      summary: "Read a partner's document now",
      description:
        "Answers once it was read, or could not be: `state.failure` tells. It takes three times `fetchTimeoutMs` and 2.5 s at most.",
      tags: ["AdminUseCases"],
      ...operators.atLeast("editor"),
      parameters: [nameParameter],
      responses: {
        200: {
          description: "How it went.",
          content: jsonContent(ItemsBody.pick({ source: true, state: true, faults: true })),
        },
        202: {
          description: "It is still being read; `state` is that of before.",
          content: jsonContent(ItemsBody.pick({ source: true, state: true, faults: true })),
        },
        ...problemResponses(
          ...problems,
          "invalid-json",
          "unsupported-media-type",
          "validation-failed",
          "payload-too-large",
        ),
      },
    },
    async (c) => {
      await demandNoBody(c);
      const source = nameIn(c);
      const { state, isRead } = await viewItems.poll(source);
      return c.json(shown(source, state), isRead ? 200 : 202, uncached);
    },
  );
}

const nameIn = (c: Context): string => c.req.param("name") ?? "";

const shown = (source: string, state: FeedState) => ({
  source,
  state: shownState(state),
  faults: state.poll?.faults ?? [],
});

const shownItem = (item: KnownItem, { poll }: FeedState): z.output<typeof ItemBody> => ({
  id: item.id,
  title: item.title,
  start: new Date(item.start.at).toISOString(),
  end: new Date(item.end.at).toISOString(),
  minPrice: item.minPrice,
  maxPrice: item.maxPrice,
  features: item.features,
  onFrom: new Date(item.onFrom).toISOString(),
  onUntil: new Date(item.onUntil).toISOString(),
  offered: item.isOffered,
  everOffered: item.wasOffered,
  listed: item.lastListedAt === null,
  lastListed: shownInstant(item.lastListedAt ?? poll?.succeededAt),
  metadata: item.metadata,
});
