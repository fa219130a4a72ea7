import { z } from "@hono/zod-openapi";
import type { ReadEvents } from "../../../application/events/read-events.ts";
import { jsonResponse } from "../routing/json-content.ts";
import type { OperatorRoutes } from "../routing/operator-routes.ts";
import { wholeNumber } from "../routing/query.ts";

const maxEvents = 10_000;

const VerifyQuery = z
  .strictObject({
    after: wholeNumber(0, Number.MAX_SAFE_INTEGER)
      .optional()
      .describe("`to` of an earlier verification: verifies the events behind it. Default: from the start of the log."),
    hash: z
      .string()
      .regex(/^([0-9a-f]{64})?$/, "is invalid (expected the 64 hexadecimal digits of `head`)")
      .optional()
      .describe("`head` of the same verification."),
    limit: wholeNumber(1, maxEvents).optional().describe(`Maximum number of events (default: ${maxEvents}).`),
  })
  .refine(({ after, hash }) => (after === undefined) === (hash === undefined), {
    path: ["hash"],
    error: "needs after; send both or neither",
  });

const VerificationBody = z
  .object({
    sound: z.boolean().describe("Whether no fault was found."),
    from: z.int().optional().describe("The position of the first verified event. Absent on a fault."),
    to: z.int().optional().describe("The position of the last verified event. Absent on a fault."),
    head: z
      .string()
      .optional()
      .describe("The hash of the last verified event. Keep it elsewhere, with `to`. Absent on a fault."),
    last: z
      .int()
      .optional()
      .describe("The position of the last event. If it is after `to`, continue with `after` and `hash`."),
    fault: z
      .object({ position: z.int(), detail: z.string() })
      .optional()
      .describe("The first fault. Absent if there is none."),
  })
  .openapi("Verification", {
    example: {
      sound: true,
      from: 1,
      to: 10_000,
      head: "5c1b9f0e7a6d4c3b2a190807f6e5d4c3b2a190807f6e5d4c3b2a190807f6e5d4",
      last: 23_500,
    },
  });

/** `GET /events/verify`: verifies the hash chain of the event log, part by part. */
export function verifyEventsRoutes(routes: OperatorRoutes, { readEvents }: { readonly readEvents: ReadEvents }) {
  return routes.add(
    {
      method: "get",
      path: "/events/verify",
      summary: "Verify the event log",
      description:
        "Recomputes the hashes of a part of the log, and finds events that were changed, removed, inserted or moved. Repeat it with the `to` and `head` of the response until `to` is `last`. A kept `to` and `head` also reveal that the end of the log was cut off or rewritten since.",
      tags: ["Events"],
      scope: "viewer",
      query: VerifyQuery,
      responses: { 200: jsonResponse("The result.", VerificationBody) },
      problems: ["log-unavailable"],
    },
    async (_, { query: { after, hash, limit = maxEvents } }) => {
      const from = after === undefined || hash === undefined ? undefined : { position: after, hash };
      const proof = await readEvents.verify(undefined, { limit, after: from });
      if (!proof.isSound) {
        const { position, fault } = proof;
        return { sound: false, fault: { position, detail: fault } };
      }
      const { start, head, last } = proof;
      return { sound: true, from: start.position + 1, to: head.position, head: head.hash, last };
    },
  );
}
