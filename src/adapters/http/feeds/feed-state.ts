import { z } from "@hono/zod-openapi";
import type { FeedState } from "../../../application/feeds/view-feed-items.ts";
import type { Instant } from "../../../domain/evaluation/evaluation-context.ts";

const moment = (description: string) => z.iso.datetime().nullable().openapi({ description });

/** Polling state of a feed. */
export const FeedStateBody = z
  .object({
    known: z.int().openapi({ description: "How many items are known." }),
    listed: z.int().openapi({ description: "How many items the last document lists that can be used." }),
    invalid: z.int().openapi({ description: "How many it lists that cannot." }),
    lastAttempt: moment("When it was tried last to read the document."),
    lastSuccess: moment("When that went well for the last time."),
    failure: z.string().nullable().openapi({ description: "Why the last try failed; null where it did not." }),
    breaker: z.enum(["closed", "open", "half-open"]).openapi({
      description: "`open`: the partner failed often, and is left alone for some time. `half-open`: it is tried once.",
    }),
  })
  .openapi("FeedState", {
    example: {
      known: 4,
      listed: 3,
      invalid: 1,
      lastAttempt: "2026-11-17T09:00:00.000Z",
      lastSuccess: "2026-11-17T09:00:00.000Z",
      failure: null,
      breaker: "closed",
    },
  });

export const shownState = ({ known, poll }: FeedState): z.output<typeof FeedStateBody> => ({
  known,
  listed: poll?.listed ?? 0,
  invalid: poll?.invalid ?? 0,
  lastAttempt: shownInstant(poll?.triedAt),
  lastSuccess: shownInstant(poll?.succeededAt),
  failure: poll?.failure ?? null,
  breaker: poll?.breaker ?? "closed",
});

/** An instant as RFC 3339 text; `null` for none. */
export const shownInstant = (at: Instant | null | undefined): string | null =>
  at === null || at === undefined ? null : new Date(at).toISOString();
