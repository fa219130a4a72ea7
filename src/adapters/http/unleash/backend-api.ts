import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { IdentifyOperator } from "../../../application/admin/identify-operator.ts";
import { Freshness } from "../../../application/evaluation/freshness.ts";
import type { ForwardReports } from "../../../application/unleash/forward-reports.ts";
import type { CountUsage } from "../../../application/usage/count-usage.ts";
import { TokenRejected } from "../../../domain/errors.ts";
import type { CachedRead } from "../../../domain/evaluation/cached-read.ts";
import type { Instant } from "../../../domain/evaluation/evaluation-context.ts";
import { writtenText } from "../client/features-body.ts";
import { fetchResponse, responseOf, unmarked, type WrittenBody } from "../client/prepared-response.ts";
import { rawStaleMarks } from "../client/stale-marks.ts";
import { HttpProblem } from "../problems/http-problem.ts";
import { uncached } from "../response-headers.ts";
import { jsonBody } from "../routing/json-body.ts";
import { jsonContent, jsonResponse } from "../routing/json-content.ts";
import { requireScope } from "../sessions/operators.ts";
import { receiveMetrics } from "./receive-metrics.ts";
import { maxReportBytes, reportOf } from "./report-of.ts";
import { secretIn } from "./secret-in.ts";
import { UnleashApplication, UnleashDocument, UnleashMetrics, unleashErrors } from "./unleash-schemas.ts";

/** The last valid document of an Unleash source. Throws `SourceUnavailable` before there is one. */
export type ReadUnleashDocument = () => CachedRead<{ readonly text: string }>;

/** The use cases that the client API needs. */
export type BackendApiOptions = {
  readonly readDocument: ReadUnleashDocument;
  readonly identifyOperator: IdentifyOperator;
  readonly reports: ForwardReports;
  readonly countUsage: CountUsage;
  readonly now: () => Instant;
};

const common = { tags: ["Unleash"], security: [{ unleash: [] }, { admin: ["evaluator"] }] };

const features = createRoute({
  ...common,
  method: "get",
  path: "/api/client/features",
  summary: "Get the document of an Unleash server, for Unleash's backend SDKs",
  description:
    "As it was read from the server, or the last one while the server is unavailable; then `Cache-Status` and `Age` mark it as stale. Filters in the query are ignored.",
  responses: {
    200: jsonResponse("The document.", UnleashDocument, {
      ETag: { description: "A digest of the body.", schema: { type: "string" } },
    }),
    304: { description: "The document is the same." },
    ...unleashErrors(401, 403, 503),
  },
});

const reportRoutes = [
  { kind: "metrics", schema: UnleashMetrics, summary: "Count the usage that a backend SDK reports, and forward it" },
  { kind: "register", schema: UnleashApplication, summary: "Forward the registration of a backend SDK" },
] as const;

/** The routes of Unleash's client API, which backend SDKs use. */
export function backendApi(
  app: OpenAPIHono,
  { readDocument, identifyOperator, reports, countUsage, now }: BackendApiOptions,
): void {
  const written = new WeakMap<object, WrittenBody>();

  app.openAPIRegistry.registerPath(features);
  app.get(features.path, async (c) => {
    await demandBackend(c);
    const read = readDocument();
    const written = writtenOf(read.value);
    const freshness = new Freshness([read], Number.POSITIVE_INFINITY);
    const at = now();
    const marks = freshness.isStale(at) ? rawStaleMarks(at - freshness.verifiedAt(at)) : unmarked;
    const prepared = { written, vary: "Authorization", changesAt: undefined, marks };
    return fetchResponse(responseOf(prepared, c.req.header("if-none-match")));
  });

  for (const { kind, schema, summary } of reportRoutes) {
    const path = `/api/client/${kind}`;
    app.openAPIRegistry.registerPath({
      ...common,
      method: "post",
      path,
      summary,
      description: "Forwarded in the background, and dropped while the server is unavailable.",
      request: { body: { required: true, content: jsonContent(schema) } },
      responses: { 202: { description: "Accepted." }, ...unleashErrors(400, 401, 403, 503) },
    });
    app.post(path, async (c) => {
      await demandBackend(c);
      if (kind === "metrics") await receiveMetrics(c, countUsage, reports);
      else reports.receive(reportOf(c, kind, await jsonBody(c, schema, maxReportBytes)));
      return c.body(null, 202, uncached);
    });
  }

  function writtenOf(document: { readonly text: string }): WrittenBody {
    const known = written.get(document);
    if (known) return known;
    const body = writtenText(document.text);
    written.set(document, body);
    return body;
  }

  /** Throws unless the request has a credential of scope `evaluator`: the document lists the users in its rules. */
  async function demandBackend(c: Context): Promise<void> {
    const found = await identifyOperator.identify(secretIn(c));
    if (found === undefined) throw new TokenRejected();
    if (found === "client") {
      throw new HttpProblem(
        "forbidden",
        "The token belongs to a client, and this route is for servers. Send an operator credential of scope evaluator.",
      );
    }
    requireScope(found, "evaluator");
  }
}
