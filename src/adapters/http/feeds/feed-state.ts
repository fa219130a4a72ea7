import { z } from "@hono/zod-openapi";
import type { FeedState } from "../../../application/feeds/view-feed-items.ts";
import { instantJson } from "../../instant-json.ts";

const timestamp = (description: string) => z.iso.datetime().nullable().describe(description);

/** Polling state of a feed. */
export const FeedStateBody = z
  .object({
    known: z.int().describe("Number of known items."),
    listed: z.int().describe("Number of valid items in the last document."),
    invalid: z.int().describe("Number of invalid items in the last document."),
    lastAttempt: timestamp("Time of the last poll."),
    lastSuccess: timestamp("Time of the last successful poll."),
    failure: z.string().nullable().describe("The error of the last poll. Null if it succeeded."),
    breaker: z
      .enum(["closed", "open", "half-open"])
      .describe(
        "State of the circuit breaker. `open`: polls are paused after repeated failures. `half-open`: one trial poll.",
      ),
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

export const feedStateJson = ({ known, poll }: FeedState): z.output<typeof FeedStateBody> => ({
  known,
  listed: poll?.listed ?? 0,
  invalid: poll?.invalid ?? 0,
  lastAttempt: instantJson(poll?.triedAt),
  lastSuccess: instantJson(poll?.succeededAt),
  failure: poll?.failure ?? null,
  breaker: poll?.breaker ?? "closed",
});
