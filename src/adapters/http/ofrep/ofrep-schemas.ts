import { z } from "@hono/zod-openapi";

/** Body of an evaluation request (OFREP 0.3.0). `{}` is an empty context. */
export const OfrepRequest = z
  .object({
    context: z
      .looseObject({
        targetingKey: z.string().optional().openapi({
          description: "The id for percentages and rules. With a client token: the token's user, or absent.",
        }),
        location: z.string().optional().openapi({ description: "The client's location. A claim." }),
      })
      .default({})
      .openapi({ example: { targetingKey: "user-123", location: "es/madrid", plan: "gold" } }),
  })
  .openapi("OfrepRequest");

/** The context of an evaluation request. */
export type OfrepContext = z.output<typeof OfrepRequest>["context"];

const metadata = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));

/** An evaluated flag (OFREP 0.3.0, `evaluationSuccess`). */
export const OfrepFlag = z
  .object({
    key: z.string(),
    value: z.unknown().openapi({ description: "Absent: use the default in the code." }),
    variant: z.string().optional(),
    reason: z.enum(["STATIC", "TARGETING_MATCH", "SPLIT", "DISABLED", "DEFAULT"]),
    metadata: metadata.optional().openapi({ description: "`source`: the source that decided." }),
  })
  .openapi("OfrepFlag", {
    example: { key: "new_menu", value: true, reason: "STATIC", metadata: { source: "global" } },
  });

/** A bulk response (OFREP 0.3.0, `bulkEvaluationSuccess`). */
export const OfrepFlags = z
  .object({
    flags: z.array(OfrepFlag),
    metadata: metadata.optional().openapi({
      description:
        "`nextChangeAt`: the next time at which a result is known to change by itself. `stale`: a store is unavailable, and these are the last known flags. `missing`: sources that were omitted.",
    }),
    eventStreams: z
      .array(
        z.object({
          type: z.literal("sse"),
          endpoint: z.object({ requestUri: z.string() }),
          inactivityDelaySec: z.int(),
        }),
      )
      .optional()
      .openapi({ description: "A stream that notifies of changes. Absent while streams of this client are refused." }),
  })
  .openapi("OfrepFlags");

/** An error (OFREP 0.3.0, `evaluationFailure`), besides the members of problem details. */
export const OfrepError = z
  .object({
    key: z.string().optional(),
    errorCode: z.enum(["PARSE_ERROR", "INVALID_CONTEXT", "FLAG_NOT_FOUND", "GENERAL"]),
    errorDetails: z.string(),
  })
  .openapi("OfrepError");
