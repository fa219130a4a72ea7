import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { IdentifyOperator } from "../../../application/admin/identify-operator.ts";
import type { EvaluateFlags } from "../../../application/evaluation/evaluate-flags.ts";
import type { Caller, RequestContext } from "../../../application/evaluation/identify-caller.ts";
import type { CountUsage } from "../../../application/usage/count-usage.ts";
import type { Instant } from "../../../domain/evaluation/evaluation-context.ts";
import type { Json } from "../../../domain/evaluation/feature.ts";
import { secretOf } from "../client/authorization.ts";
import type { CallContext } from "../client/call-context.ts";
import { evaluateFor } from "../client/evaluate-for.ts";
import { writtenBody } from "../client/features-body.ts";
import { fetchResponse, type PrepareResponse, responseOf } from "../client/prepared-response.ts";
import type { ResponseCache } from "../client/response-cache.ts";
import { HttpProblem } from "../problems/http-problem.ts";
import { securityHeaders } from "../response-headers.ts";
import { jsonBody } from "../routing/json-body.ts";
import { incomingOf } from "../server/incoming.ts";
import type { AdvertisedStreams } from "../streams/advertised-streams.ts";
import { flagJson, flagsJson, metadataOf } from "./flags-json.ts";
import { bulkPath, type OfrepKeys } from "./ofrep-fast-path.ts";
import { type OfrepContext, OfrepError, OfrepFlag, OfrepFlags, OfrepRequest } from "./ofrep-schemas.ts";

/** Maximum size of a body, in bytes. */
const maxBodyBytes = 65_536;

const errors = (...statuses: number[]) =>
  Object.fromEntries(
    statuses.map((status) => [
      status,
      { description: "An error.", content: { "application/json": { schema: OfrepError } } },
    ]),
  );

const common = {
  method: "post" as const,
  tags: ["OpenFeature"],
  security: [{}, { bearer: [] }, { basic: [] }, { apiKey: [] }, { admin: ["evaluator"] }],
};

const body = { required: true, content: { "application/json": { schema: OfrepRequest } } };

const bulkRoute = createRoute({
  ...common,
  path: bulkPath,
  summary: "Evaluate all flags",
  description:
    "OpenFeature Remote Evaluation Protocol 0.3.0, for apps. Returns every known feature, also those that are off. Send `If-None-Match` to receive 304 while nothing changes.",
  request: { body },
  responses: {
    200: {
      description: "The flags.",
      headers: { ETag: { description: "A digest of the body.", schema: { type: "string" } } },
      content: { "application/json": { schema: OfrepFlags } },
    },
    304: { description: "The flags are the same." },
    ...errors(400, 401, 403, 413, 415, 503),
  },
});

const singleRoute = createRoute({
  ...common,
  path: `${bulkPath}/{key}`,
  summary: "Evaluate a flag",
  description:
    "OpenFeature Remote Evaluation Protocol 0.3.0, for servers. A server that evaluates for many users sends an operator credential of scope `evaluator`; then `targetingKey` is the user id.",
  request: { body, params: z.object({ key: z.string() }) },
  responses: {
    200: { description: "The flag.", content: { "application/json": { schema: OfrepFlag } } },
    ...errors(400, 401, 403, 404, 413, 415, 503),
  },
});

/** The use cases and parts that the OFREP routes need. */
export type OfrepOptions = {
  readonly evaluateFlags: EvaluateFlags;
  readonly identifyOperator: IdentifyOperator;
  readonly callContext: CallContext;
  readonly cache: ResponseCache;
  readonly responses: PrepareResponse;
  readonly keys: OfrepKeys;
  readonly countUsage: CountUsage;
  /** `undefined` without a store: then no stream is advertised. */
  readonly advertisedStreams: AdvertisedStreams | undefined;
  readonly now: () => Instant;
};

/** The routes of the OpenFeature Remote Evaluation Protocol. */
export function ofrepRoutes(app: OpenAPIHono, options: OfrepOptions): void {
  const {
    evaluateFlags,
    identifyOperator,
    callContext,
    cache,
    responses,
    keys,
    countUsage,
    now,
    advertisedStreams: advertised,
  } = options;

  app.openAPIRegistry.registerPath(bulkRoute);
  app.post(bulkPath, async (c) => {
    const { context } = await jsonBody(c, OfrepRequest, maxBodyBytes);
    let credential: string | undefined;
    const evaluated = await evaluate(c, context, (caller, request, id, byCredential) => {
      credential = byCredential;
      return evaluateFlags.evaluateAll(caller, request, id);
    });
    const watched = { ...evaluated.context, ...(credential !== undefined && { credential }) };
    const advertisement = await advertised?.advertise(watched, callContext.addressOf(incomingOf(c)));
    const { entry, read } = advertisement ?? {};
    const json = { ...flagsJson(evaluated, now()), ...(entry && { eventStreams: [entry] }) };
    const freshness = read ? evaluated.freshness.with([read]) : evaluated.freshness;
    const stated = () => ({ flags: evaluated.flags, omitsOff: false });
    const prepared = responses.prepare(writtenBody(json), { ...evaluated, freshness }, stated, true);
    const key = keys.of(incomingOf(c));
    // The credential may be revoked.
    if (key !== undefined && credential === undefined)
      cache.keep(key, prepared, evaluated.context.userId === undefined);
    return fetchResponse(responseOf(prepared, c.req.header("if-none-match")));
  });

  app.openAPIRegistry.registerPath(singleRoute);
  // A key may contain slashes.
  app.post(`${bulkPath}/:key{[^]+}`, async (c) => {
    const key = c.req.param("key");
    const { context } = await jsonBody(c, OfrepRequest, maxBodyBytes);
    const { flag, ...evaluated } = await evaluate(c, context, (caller, request, id) =>
      evaluateFlags.evaluateOne(key, caller, request, id),
    );
    if (!flag) throw new HttpProblem("unknown-flag", `No feature has the key "${key}".`);
    countUsage.countFlag(flag);
    const { metadata, ...json } = flagJson(flag);
    const all = { ...metadata, ...metadataOf(evaluated, now()) };
    const headers = { ...securityHeaders, "Cache-Control": "no-store" };
    return c.json({ ...json, ...(Object.keys(all).length > 0 && { metadata: all }) }, 200, headers);
  });

  function evaluate<T>(
    c: Context,
    { targetingKey, ...fields }: OfrepContext,
    run: (caller: Caller, request: RequestContext, id: string | undefined, credential?: string) => Promise<T>,
  ): Promise<T> {
    // Clients without a user send an empty one.
    const id = targetingKey || undefined;
    const request = callContext.inBody(incomingOf(c), id, fields as Readonly<Record<string, Json>>);
    const secret = secretOf(c.req.header("authorization")) ?? (c.req.header("x-api-key") || undefined);
    const user = id === undefined ? undefined : { userId: id };
    return evaluateFor(secret, identifyOperator, "evaluator", user, (caller, credential) =>
      run(caller, request, id, credential),
    );
  }
}
