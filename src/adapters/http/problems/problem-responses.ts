import { z } from "@hono/zod-openapi";
import { type ProblemCode, problemTypes } from "./problem-types.ts";

const Problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string().describe("What is wrong with this request, and what to do."),
    code: z.enum(Object.keys(problemTypes) as [ProblemCode, ...ProblemCode[]]),
    requestId: z.string().describe("As in the header X-Request-Id and in the log."),
    errors: z
      .array(
        z.object({
          pointer: z.string().openapi({ description: "JSON pointer to the fault in the body.", example: "/email" }),
          detail: z.string(),
        }),
      )
      .optional()
      .describe(
        "Only for `validation-failed`: the faults of the body. For `configuration-rejected`: those of the file, with an empty pointer.",
      ),
    later: z
      .object({ event: z.string(), by: z.string(), at: z.iso.datetime() })
      .optional()
      .describe("Only for `changed-since`: the conflicting event, if it is recorded."),
    key: z.string().describe("For clients of the service that Tidegate replaces."),
    message: z.string().describe("For clients of the service that Tidegate replaces."),
  })
  .openapi("Problem", { description: "Problem details (RFC 9457)." });

type ProblemResponse = { description: string; content: { "application/problem+json": { schema: typeof Problem } } };
/** One response per status of the codes and of those that they imply. */
export type ProblemResponses<Code extends ProblemCode> = {
  [Status in (typeof problemTypes)[
    | Code
    | (Code extends Implying ? (typeof implied)[Code][number] : never)]["status"]]: ProblemResponse;
};

/** Problem codes of every route with access control. */
const accessProblems = ["unauthenticated", "forbidden", "insufficient-scope", "cross-origin"] as const;

/** Problem codes of every route that reads a store: it can be unavailable, or need an operator's action. */
const storeProblems = [
  "source-unavailable",
  "store-data-invalid",
  "store-permission-denied",
  "store-read-only",
] as const satisfies readonly ProblemCode[];

const implied = {
  unauthenticated: [...accessProblems, ...storeProblems],
  "source-unavailable": storeProblems,
} as const satisfies Partial<Record<ProblemCode, readonly ProblemCode[]>>;
type Implying = keyof typeof implied;
const isImplying = (code: ProblemCode): code is Implying => Object.hasOwn(implied, code);

/** OpenAPI responses for problem codes, one per status. Some codes imply others. */
export function problemResponses<Code extends ProblemCode>(...codes: readonly Code[]): ProblemResponses<Code> {
  const responses: Partial<Record<number, ProblemResponse>> = {};
  const all = codes.flatMap((code): readonly ProblemCode[] => (isImplying(code) ? implied[code] : [code]));
  for (const code of new Set(all)) {
    const { status, title } = problemTypes[code];
    const described = responses[status]
      ? `${responses[status].description}; ${title} (\`${code}\`)`
      : `${title} (\`${code}\`)`;
    responses[status] = { description: described, content: { "application/problem+json": { schema: Problem } } };
  }
  return responses as ProblemResponses<Code>;
}
