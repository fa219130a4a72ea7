import { z } from "@hono/zod-openapi";
import { type ProblemCode, problems } from "./problem.ts";

const Problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string().openapi({ description: "What was wrong with this request, and what to do." }),
    code: z.enum(Object.keys(problems) as [ProblemCode, ...ProblemCode[]]),
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

/** How a route refuses that is not for everybody. */
const refusals = ["operators-only", "forbidden", "insufficient-scope", "cross-origin", "source-unavailable"] as const;

/** How a route documents the problems it answers with: one response a status. One that is `operators-only` refuses in other ways too. */
export function problemResponses(...codes: readonly ProblemCode[]): ProblemResponses {
  const responses: ProblemResponses = {};
  const all = codes.flatMap((code) => (code === "operators-only" ? refusals : [code]));
  for (const code of new Set(all)) {
    const { status, title } = problems[code];
    const described = responses[status]
      ? `${responses[status].description}; ${title} (\`${code}\`)`
      : `${title} (\`${code}\`)`;
    responses[status] = { description: described, content: { "application/problem+json": { schema: Problem } } };
  }
  return responses;
}
