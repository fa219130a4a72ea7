import { hash } from "node:crypto";
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { IdentifyOperator } from "../../../application/admin/identify-operator.ts";
import type { EvaluateFlags } from "../../../application/evaluation/evaluate-flags.ts";
import { explicitContext, type IdentifyCaller } from "../../../application/evaluation/identify-caller.ts";
import type { ForwardReports } from "../../../application/unleash/forward-reports.ts";
import type { CountUsage } from "../../../application/usage/count-usage.ts";
import type { CallContext } from "../client/call-context.ts";
import { evaluateFor } from "../client/evaluate-for.ts";
import { writtenBody } from "../client/features-body.ts";
import { fetchResponse, type PrepareResponse, responseOf } from "../client/prepared-response.ts";
import type { ResponseCache } from "../client/response-cache.ts";
import { uncached } from "../response-headers.ts";
import { jsonBody } from "../routing/json-body.ts";
import { jsonContent, jsonResponse } from "../routing/json-content.ts";
import { incomingOf } from "../server/incoming.ts";
import { frontendPaths } from "./frontend-paths.ts";
import { receiveMetrics } from "./receive-metrics.ts";
import { maxReportBytes } from "./report-of.ts";
import { secretIn } from "./secret-in.ts";
import { toggleJson } from "./toggle-json.ts";
import { contextIn, contextOf, type UnleashContext, UnleashRequest } from "./unleash-context.ts";
import { UnleashApplication, UnleashMetrics, UnleashToggles, unleashErrors } from "./unleash-schemas.ts";

/** Maximum size of a body with a context, in bytes. */
const maxBodyBytes = 65_536;

const common = { tags: ["Unleash"], security: [{ unleash: [] }, { bearer: [] }, { admin: ["frontend"] }] };

const evaluation = {
  ...common,
  responses: {
    200: jsonResponse("The features.", UnleashToggles, {
      ETag: { description: "A digest of the body.", schema: { type: "string" as const } },
    }),
    304: { description: "The features are the same." },
    ...unleashErrors(400, 401, 403, 503),
  },
};

const report = { ...common, responses: { 202: { description: "Accepted." }, ...unleashErrors(400, 401, 403, 503) } };

const parameters = ["userId", "sessionId", "remoteAddress"].map((name) => ({
  name,
  in: "query" as const,
  schema: { type: "string" as const },
}));

/** The use cases and parts that the frontend API needs. */
export type FrontendApiOptions = {
  readonly evaluateFlags: EvaluateFlags;
  readonly identifyCaller: IdentifyCaller;
  readonly identifyOperator: IdentifyOperator;
  readonly reports: ForwardReports;
  readonly countUsage: CountUsage;
  readonly callContext: CallContext;
  readonly cache: ResponseCache;
  readonly responses: PrepareResponse;
};

/** The routes of Unleash's frontend API. */
export function frontendApi(app: OpenAPIHono, options: FrontendApiOptions): void {
  const { evaluateFlags, identifyCaller, identifyOperator, reports, countUsage, callContext, cache, responses } =
    options;

  for (const path of frontendPaths) {
    app.openAPIRegistry.registerPath({
      ...evaluation,
      method: "get",
      path,
      parameters,
      summary: "Get the features that are on, for Unleash's frontend SDKs",
      description:
        "The context is in the query; properties are `properties[name]`. A client token evaluates for its user. Under a credential of scope `frontend`, `userId` is a claim.",
    });
    app.get(path, (c) => evaluate(c, contextIn(c.req.url)));

    app.openAPIRegistry.registerPath({
      ...evaluation,
      method: "post",
      path,
      request: { body: { required: true, content: jsonContent(UnleashRequest) } },
      summary: "Get the same, with the context in the body",
    });
    app.post(path, async (c) => evaluate(c, contextOf((await jsonBody(c, UnleashRequest, maxBodyBytes)).context)));

    app.openAPIRegistry.registerPath({
      ...report,
      method: "post",
      path: `${path}/client/metrics`,
      request: { body: { required: true, content: jsonContent(UnleashMetrics) } },
      summary: "Count the usage that a frontend SDK reports, and forward it",
    });
    app.post(`${path}/client/metrics`, async (c) => {
      await demandClient(c);
      await receiveMetrics(c, countUsage, reports);
      return c.body(null, 202, uncached);
    });

    app.openAPIRegistry.registerPath({
      ...report,
      method: "post",
      path: `${path}/client/register`,
      request: { body: { required: true, content: jsonContent(UnleashApplication) } },
      summary: "Accept the registration of a frontend SDK, without effect",
    });
    app.post(`${path}/client/register`, async (c) => {
      await demandClient(c);
      await jsonBody(c, UnleashApplication, maxReportBytes);
      return c.body(null, 202, uncached);
    });
  }

  async function evaluate(c: Context, context: UnleashContext): Promise<Response> {
    const { userId, sessionId, fields, remoteAddress } = context;
    const incoming = incomingOf(c);
    const request = callContext.inBody(incoming, userId ?? sessionId, fields, remoteAddress);
    const varied = [callContext.varyKey(incoming), request.hints.ip, context];
    const ifNoneMatch = c.req.header("if-none-match");
    const secret = secretIn(c);
    return evaluateFor(secret, identifyOperator, "frontend", undefined, async (caller) => {
      // The caller of a cached response is known: a revoked credential does not get here.
      const key = `unleash ${hash("sha256", JSON.stringify([caller ? secret : 0, ...varied]), "base64")}`;
      const cached = cache.find(key, ifNoneMatch);
      if (cached) return fetchResponse(cached);
      const claiming = caller ? request : { ...request, claimedUserId: userId };
      const evaluated = await evaluateFlags.evaluateAll(caller, claiming, userId);
      const flags = evaluated.flags.filter(({ on }) => on);
      const stated = () => ({ flags, omitsOff: true });
      const prepared = responses.prepare(writtenBody({ toggles: flags.map(toggleJson) }), evaluated, stated);
      cache.keep(key, prepared, caller === undefined);
      return fetchResponse(responseOf(prepared, ifNoneMatch));
    });
  }

  /** Throws unless the request has a client token or a credential of scope `frontend`. */
  async function demandClient(c: Context): Promise<void> {
    await evaluateFor(secretIn(c), identifyOperator, "frontend", undefined, async (caller) => {
      if (caller) await identifyCaller.identify(caller, explicitContext({}));
    });
  }
}
