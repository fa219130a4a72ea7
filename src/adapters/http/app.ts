import { OpenAPIHono } from "@hono/zod-openapi";
import type { IdentifyOperator } from "../../application/admin/identify-operator.ts";
import type { EvaluateFeatures } from "../../application/evaluation/evaluate-features.ts";
import type { EvaluateFlags } from "../../application/evaluation/evaluate-flags.ts";
import type { FeaturesAsOf } from "../../application/explain/features-as-of.ts";
import type { SearchItems } from "../../application/feeds/search-items.ts";
import type { CountUsage } from "../../application/usage/count-usage.ts";
import { backofficeRoutes } from "./backoffice/backoffice.ts";
import { BuiltPage } from "./backoffice/built-page.ts";
import { featuresRoutes } from "./client/features.ts";
import type { FeaturesResponses } from "./client/features-responses.ts";
import type { PrepareResponse } from "./client/prepared-response.ts";
import type { ResponseCache } from "./client/response-cache.ts";
import { searchRoutes } from "./feeds/search.ts";
import { ofrepRoutes } from "./ofrep/ofrep.ts";
import type { OfrepKeys } from "./ofrep/ofrep-fast-path.ts";
import { ofrepStreamRoutes } from "./ofrep/ofrep-stream.ts";
import { documentationRoutes } from "./operations/documentation.ts";
import { requestLog } from "./operations/request-log.ts";
import { root } from "./operations/root.ts";
import { type OperatorApiOptions, operatorApi } from "./operator-api.ts";
import { problemResponse, unmatched } from "./problem-response.ts";
import { OperatorRoutes } from "./routing/operator-routes.ts";
import type { CrossOriginSharing } from "./server/cross-origin-sharing.ts";
import { Operators } from "./sessions/operators.ts";
import { shareClientRoutes } from "./share-client-routes.ts";
import type { AdvertisedStreams } from "./streams/advertised-streams.ts";
import type { ClientStreams } from "./streams/client-streams.ts";
import { featuresStreamRoutes } from "./streams/features-stream.ts";
import { type UnleashOptions, unleashRoutes } from "./unleash/unleash.ts";

/** The use cases and options of the HTTP adapter: those of clients, and those of the API for operators. */
export type HttpOptions = OperatorApiOptions & {
  readonly evaluateFeatures: EvaluateFeatures;
  readonly featuresResponses: FeaturesResponses;
  readonly evaluateFlags: EvaluateFlags;
  readonly featuresAsOf: FeaturesAsOf;
  readonly responseCache: ResponseCache;
  readonly responses: PrepareResponse;
  readonly ofrepKeys: OfrepKeys;
  readonly countUsage: CountUsage;
  readonly searchItems: SearchItems;
  readonly clientStreams: ClientStreams;
  readonly advertisedStreams: AdvertisedStreams | undefined;
  readonly identifyOperator: IdentifyOperator;
  readonly logRequests: boolean;
  /** `undefined` if no other origin may read responses. */
  readonly sharing: CrossOriginSharing | undefined;
  readonly version: string;
  /** Whether to serve the backoffice page. */
  readonly hasBackoffice: boolean;
  /** `undefined` if Unleash's SDKs are not served. */
  readonly unleash: UnleashOptions | undefined;
};

/**
 * Builds the routes of the service. Client routes have no middleware unless the configuration needs some: Hono serves a
 * route with a single handler faster.
 */
export function httpApp(options: HttpOptions): OpenAPIHono {
  const app = new OpenAPIHono();
  if (options.logRequests) app.use(requestLog(options.log));
  if (options.sharing) shareClientRoutes(app, options.sharing, options.callContext, options.unleash !== undefined);
  const operators = new Operators(options.identifyOperator, options.sessions);
  const { callContext, clientStreams, evaluateFlags, identifyOperator, responseCache: cache } = options;
  featuresRoutes(app, operators, options.featuresAsOf, options.featuresResponses, callContext);
  featuresStreamRoutes(app, options.evaluateFeatures, callContext, clientStreams);
  const { responses, countUsage, now, advertisedStreams } = options;
  const evaluating = { evaluateFlags, identifyOperator, callContext, cache, responses, countUsage, now };
  ofrepRoutes(app, { ...evaluating, advertisedStreams, keys: options.ofrepKeys });
  ofrepStreamRoutes(app, evaluateFlags, identifyOperator, callContext, clientStreams, advertisedStreams);
  if (options.unleash) unleashRoutes(app, { ...evaluating, unleash: options.unleash });
  searchRoutes(app, options.searchItems, options.zone, options.basePath);
  const routes = new OperatorRoutes(app, operators);
  for (const register of operatorApi) register(routes, options);
  documentationRoutes(app, options.version, options.basePath);
  if (options.hasBackoffice) backofficeRoutes(app, new BuiltPage(options.basePath), options.basePath);
  app.notFound((c) => {
    const isRoot = c.req.path === "/" && ["GET", "HEAD"].includes(c.req.method);
    return isRoot ? root(c, options.basePath, options.hasBackoffice) : unmatched(app, c);
  });
  app.onError((error, c) => problemResponse(error, c, options.log));
  return app;
}
