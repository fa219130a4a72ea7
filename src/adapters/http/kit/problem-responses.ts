import { z } from "@hono/zod-openapi";
import { type ProblemCode, problemTypes } from "./problem-types.ts";

const Problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string().openapi({ description: "What was wrong with this request, and what to do." }),
    code: z.enum(Object.keys(problemTypes) as [ProblemCode, ...ProblemCode[]]),
    requestId: z
      .string()
      .openapi({ description: "Also in the header X-Request-Id, and in the log where requests are logged." }),
    errors: z
      .array(
        z.object({
          pointer: z.string().openapi({ description: "Where in the body: a JSON pointer.", example: "/email" }),
          detail: z.string(),
        }),
      )
      .optional()
      .openapi({ description: "Only of `validation-failed`: what is wrong with the body." }),
    key: z.string().openapi({ description: "For clients of the service that Tidegate takes over from." }),
    message: z.string().openapi({ description: "For clients of the service that Tidegate takes over from." }),
  })
  .openapi("Problem", { description: "What went wrong: RFC 9457 problem details." });

type ProblemResponses = Record<
  number,
  { description: string; content: { "application/problem+json": { schema: typeof Problem } } }
>;

/** Problem codes of every route with access control. */
const refusals = ["unauthenticated", "forbidden", "insufficient-scope", "cross-origin"] as const;

/** Problem codes of every route that reads a store: it can be unavailable, or need an operator's action. */
const storeProblems = [
  "source-unavailable",
  "store-data-invalid",
  "store-permission-denied",
  "store-read-only",
] as const satisfies readonly ProblemCode[];

const implied: Partial<Record<ProblemCode, readonly ProblemCode[]>> = {
  unauthenticated: [...refusals, ...storeProblems],
  "source-unavailable": storeProblems,
};

/** OpenAPI responses for problem codes, one per status. Some codes imply others. */
export function problemResponses(...codes: readonly ProblemCode[]): ProblemResponses {
  const responses: ProblemResponses = {};
  const all = codes.flatMap((code) => implied[code] ?? [code]);
  for (const code of new Set(all)) {
    const { status, title } = problemTypes[code];
    const described = responses[status]
      ? `${responses[status].description}; ${title} (\`${code}\`)`
      : `${title} (\`${code}\`)`;
    responses[status] = { description: described, content: { "application/problem+json": { schema: Problem } } };
  }
  return responses;
}
