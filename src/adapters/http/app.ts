import { OpenAPIHono } from "@hono/zod-openapi";
import type { IdentifyOperator } from "../../application/admin/identify-operator.ts";
import type { Sessions } from "../../application/admin/sessions.ts";
import type { ViewCache } from "../../application/admin/view-cache.ts";
import type { EvaluateFeatures } from "../../application/evaluation/evaluate-features.ts";
import type { EvaluateFlags } from "../../application/evaluation/evaluate-flags.ts";
import type { ReadKey } from "../../application/evaluation/read-key.ts";
import type { ReadEvents } from "../../application/events/read-events.ts";
import type { RecordEvent } from "../../application/events/record-event.ts";
import type { TailEvents } from "../../application/events/tail-events.ts";
import type { CompareContexts } from "../../application/explain/compare-contexts.ts";
import type { CompareTimes } from "../../application/explain/compare-times.ts";
import type { ExplainFeatures } from "../../application/explain/explain-features.ts";
import type { FeaturesAsOf } from "../../application/explain/features-as-of.ts";
import type { SearchItems } from "../../application/feeds/search-items.ts";
import type { ChangeTargets } from "../../application/reverts/change-targets.ts";
import type { FindEvent } from "../../application/reverts/find-event.ts";
import type { RevertEvent } from "../../application/reverts/revert-event.ts";
import type { CheckInstance } from "../../application/system/check-instance.ts";
import type { ReloadConfig } from "../../application/system/reload-config.ts";
import type { ViewSystem } from "../../application/system/view-system.ts";
import type { CountUsage } from "../../application/usage/count-usage.ts";
import type { ReadUsage } from "../../application/usage/read-usage.ts";
import type { Instant } from "../../domain/evaluation/evaluation-context.ts";
import type { TimeZone } from "../../domain/targeting/wall-clock.ts";
import type { Log } from "../../infrastructure/logger.ts";
import { type AdminUseCases, adminRoutes } from "./admin/admin.ts";
import { backoffice } from "./backoffice/backoffice.ts";
import { BuiltPage } from "./backoffice/built-page.ts";
import type { CallContext } from "./client/call-context.ts";
import { features } from "./client/features.ts";
import type { FeaturesResponses } from "./client/features-responses.ts";
import type { PrepareResponse } from "./client/prepared-response.ts";
import type { ResponseCache } from "./client/response-cache.ts";
import { eventExport } from "./events/event-export.ts";
import { eventQuery } from "./events/event-schemas.ts";
import type { EventStreams } from "./events/event-streams.ts";
import { eventTail } from "./events/event-tail.ts";
import { events } from "./events/events.ts";
import { eventRoutes } from "./events/revert-event.ts";
import { verifyEvents } from "./events/verify-events.ts";
import { compare } from "./explain/compare.ts";
import { diff } from "./explain/diff.ts";
import { explain } from "./explain/explain.ts";
import { explainSummary } from "./explain/summary.ts";
import { search } from "./feeds/search.ts";
import { Operators } from "./kit/operators.ts";
import { ofrep } from "./ofrep/ofrep.ts";
import type { OfrepKeys } from "./ofrep/ofrep-fast-path.ts";
import { ofrepStream } from "./ofrep/ofrep-stream.ts";
import { cacheView } from "./operations/cache-view.ts";
import { documentation } from "./operations/documentation.ts";
import { healthChecks } from "./operations/health.ts";
import { metrics } from "./operations/metrics.ts";
import { proxy } from "./operations/proxy.ts";
import { requestLog } from "./operations/request-log.ts";
import { root } from "./operations/root.ts";
import type { CrossOriginSharing } from "./server/cross-origin-sharing.ts";
import { problemResponse, unmatched } from "./server/problem-response.ts";
import { shareClientRoutes } from "./server/share-client-routes.ts";
import { sessionRoutes } from "./sessions/sessions.ts";
import type { AdvertisedStreams } from "./streams/advertised-streams.ts";
import type { ClientStreams } from "./streams/client-streams.ts";
import { featuresStream } from "./streams/features-stream.ts";
import { reloadRoute } from "./system/reload.ts";
import { type SystemDescription, systemRoutes } from "./system/system.ts";
import { type UnleashOptions, unleash } from "./unleash/unleash.ts";
import { usageRoutes } from "./usage/usage.ts";

/** The use cases and options of the HTTP adapter. */
export type HttpOptions = {
  readonly evaluateFeatures: EvaluateFeatures;
  readonly featuresResponses: FeaturesResponses;
  readonly evaluateFlags: EvaluateFlags;
  readonly featuresAsOf: FeaturesAsOf;
  readonly explainFeatures: ExplainFeatures;
  readonly compareTimes: CompareTimes;
  readonly compareContexts: CompareContexts;
  readonly checkInstance: CheckInstance;
  readonly responseCache: ResponseCache;
  readonly responses: PrepareResponse;
  readonly ofrepKeys: OfrepKeys;
  readonly countUsage: CountUsage;
  readonly readUsage: ReadUsage;
  readonly viewSystem: ViewSystem;
  readonly system: SystemDescription;
  readonly reloadConfig: ReloadConfig;
  readonly searchItems: SearchItems;
  readonly callContext: CallContext;
  readonly readKey: ReadKey;
  readonly viewCache: ViewCache;
  readonly admin: AdminUseCases;
  readonly readEvents: ReadEvents;
  readonly recordEvent: RecordEvent;
  readonly tailEvents: TailEvents;
  readonly changeTargets: ChangeTargets;
  readonly findEvent: FindEvent;
  readonly revertEvent: RevertEvent;
  readonly streams: EventStreams;
  readonly clientStreams: ClientStreams;
  readonly advertisedStreams: AdvertisedStreams | undefined;
  /** Returns the metrics of all workers in the Prometheus text format. */
  readonly scrape: () => Promise<string>;
  readonly identifyOperator: IdentifyOperator;
  /** `undefined` without a store for them. */
  readonly sessions: Sessions | undefined;
  /** The name of the environment. */
  readonly environment: string;
  readonly isStopping: () => boolean;
  readonly log: Log;
  readonly logRequests: boolean;
  /** `undefined` if no other origin may read responses. */
  readonly sharing: CrossOriginSharing | undefined;
  readonly version: string;
  readonly now: () => Instant;
  /** Time zone of dates and times without an offset in queries. */
  readonly zone: TimeZone;
  /** Path prefix of every route as clients see it; empty if there is none. */
  readonly basePath: string;
  /** Whether to serve the backoffice page. */
  readonly hasBackoffice: boolean;
  /** Whether to serve the activity service's clients: `/heath`, and events without `email`. */
  readonly isActivityService: boolean;
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
  const { callContext, responseCache } = options;
  features(app, operators, options.featuresAsOf, options.featuresResponses, callContext);
  featuresStream(app, options.evaluateFeatures, callContext, options.clientStreams);
  ofrep(app, { ...options, cache: responseCache, keys: options.ofrepKeys });
  ofrepStream(
    app,
    options.evaluateFlags,
    options.identifyOperator,
    callContext,
    options.clientStreams,
    options.advertisedStreams,
  );
  if (options.unleash) unleash(app, { ...options, cache: responseCache, unleash: options.unleash });
  search(app, options.searchItems, options.zone, options.basePath);
  healthChecks(
    app,
    operators,
    options.checkInstance,
    options.viewSystem,
    options.admin.viewItems,
    options.isStopping,
    options.isActivityService,
  );
  metrics(app, operators, options.scrape);
  proxy(app, operators, options.readKey);
  cacheView(app, operators, options.viewCache);
  sessionRoutes(app, operators, options.sessions, options.environment, options.now);
  reloadRoute(app, operators, options.reloadConfig);
  systemRoutes(app, operators, options.viewSystem, options.admin.viewItems, options.system);
  // Before the routes whose feature key may contain slashes.
  usageRoutes(app, operators, options.readUsage);
  adminRoutes(app, operators, options.admin, options.log);
  const query = eventQuery(options.zone);
  const { changeTargets: targets, findEvent, revertEvent } = options;
  const eventOptions = { query, targets, isLoose: options.isActivityService, basePath: options.basePath };
  events(app, operators, options.readEvents, options.recordEvent, eventOptions);
  eventExport(app, operators, options.readEvents, query, targets);
  eventTail(app, operators, options.readEvents, options.tailEvents, options.streams, query, targets);
  verifyEvents(app, operators, options.readEvents);
  eventRoutes(app, operators, findEvent, revertEvent, options.admin.idempotencyKeys);
  explain(app, operators, options.explainFeatures, options.callContext);
  explainSummary(app, operators, options.explainFeatures, options.admin.listFeatures, options.callContext);
  compare(app, operators, options.compareContexts, options.admin.listFeatures, options.callContext);
  diff(app, operators, options.compareTimes);
  documentation(app, options.version, options.basePath);
  if (options.hasBackoffice) backoffice(app, new BuiltPage(options.basePath), options.basePath);
  app.notFound((c) => {
    const isRoot = c.req.path === "/" && ["GET", "HEAD"].includes(c.req.method);
    return isRoot ? root(c, options.basePath, options.hasBackoffice) : unmatched(app, c);
  });
  app.onError((error, c) => problemResponse(error, c, options.log));
  return app;
}
