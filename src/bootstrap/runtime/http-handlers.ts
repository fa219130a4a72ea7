import { hostname } from "node:os";
import packageJson from "../../../package.json" with { type: "json" };
import type { HttpOptions } from "../../adapters/http/app.ts";
import { FeaturesFastPath } from "../../adapters/http/client/fast-path.ts";
import { FeaturesResponses } from "../../adapters/http/client/features-responses.ts";
import { PrepareResponse } from "../../adapters/http/client/prepared-response.ts";
import { ResponseCache } from "../../adapters/http/client/response-cache.ts";
import { OfrepFastPath } from "../../adapters/http/ofrep/ofrep-fast-path.ts";
import { durationBuckets, type HttpCounters } from "../../adapters/http/operations/http-counters.ts";
import { loggedFastPath } from "../../adapters/http/operations/logged-fast-path.ts";
import { CrossOriginSharing } from "../../adapters/http/server/cross-origin-sharing.ts";
import type { Fetch } from "../../adapters/http/server/request-listener.ts";
import { RequestsInFlight } from "../../adapters/http/server/requests-in-flight.ts";
import type { TryServe } from "../../adapters/http/server/server.ts";
import { waitAtMost } from "../../application/async/deadline.ts";
import type { CheckInstance } from "../../application/system/check-instance.ts";
import { viewInstances } from "../../application/system/view-instances.ts";
import { ViewSystem } from "../../application/system/view-system.ts";
import type { Composition } from "../composition/container.ts";
import { DiKeys } from "../composition/di-keys.ts";
import { once, together } from "../composition/lazy.ts";
import { thisProcess } from "../composition/this-process.ts";
import type { Config } from "../config/config.ts";
import { overridesIn } from "../config/environment.ts";
import { redacted } from "../config/redacted.ts";
import type { ProcessContext } from "./process-context.ts";

/** Handles the HTTP requests of one configuration. */
export type HttpHandlers = {
  readonly fetch: Fetch;
  /** Loads the routes that `fetch` serves, which otherwise wait for the first request. */
  readonly loadRoutes: () => Promise<unknown>;
  /** Fast path for prepared responses. */
  readonly shortcut: TryServe;
  /** Waits for running requests, at most 10 s. No source may take longer. */
  readonly idle: () => Promise<void>;
};

const maxCallMs = 10_000;

/** Makes the handlers from the areas of a configuration. */
export function httpHandlers(
  config: Config,
  { get }: Composition,
  checkInstance: CheckInstance,
  { env, log, stopping, metrics, reports, reloadConfig }: ProcessContext,
): HttpHandlers {
  const [evaluation, events, operations] = [get(DiKeys.Evaluation), get(DiKeys.Events), get(DiKeys.Operations)];
  const { callContext, evaluateFeatures, evaluateFlags } = evaluation;
  const { countUsage } = events;
  const { httpCounters: counters } = operations;
  const unleash = get(DiKeys.Unleash);
  const now = Date.now;
  const responseCache = new ResponseCache(config.cache.capacity, now, counters, countUsage);
  const { cors } = config.server;
  const sharing = cors && new CrossOriginSharing(cors.origins, callContext);
  const ofrepFastPath = new OfrepFastPath(responseCache, callContext, counters, operations.streamLimits, sharing);
  const responses = new PrepareResponse(() => callContext.vary, now, counters, countUsage);
  const featuresResponses = new FeaturesResponses(
    evaluateFeatures,
    evaluateFlags,
    responseCache,
    responses,
    callContext,
  );
  const invalidationFeeds = [...get(DiKeys.Stores).invalidationFeeds.values()];
  const others = [get(DiKeys.Explain), get(DiKeys.Feeds), get(DiKeys.Admin)] as const;
  const options: HttpOptions = together(evaluation, events, operations, ...others, {
    featuresResponses,
    checkInstance,
    responseCache,
    responses,
    ofrepKeys: ofrepFastPath,
    reloadConfig,
    viewSystem: new ViewSystem(
      reports.gather,
      viewInstances(thisProcess, () => Promise.all(invalidationFeeds.map((feed) => feed.rollCall())), now),
      durationBuckets,
      now,
    ),
    system: {
      version: packageJson.version,
      environment: config.events.environment,
      host: hostname(),
      sources: config.sources,
      stores: Object.fromEntries(Object.entries(config.connections).map(([name, { kind }]) => [name, kind])),
      eventLog: { kind: config.eventLog.kind, retentionDays: config.events.retentionDays },
      configuration: {
        file: config.file,
        loadedAt: now(),
        document: redacted(config.text),
        overrides: overridesIn(env),
      },
    },
    now,
    scrape: metrics.scrape,
    environment: config.events.environment,
    isStopping: () => stopping.aborted,
    log,
    logRequests: config.log.requests,
    sharing,
    version: packageJson.version,
    zone: config.server.timeZone,
    basePath: config.server.basePath,
    hasBackoffice: config.server.backoffice,
    isActivityService: config.compatibility.activityService,
    unleash: unleash.isOn
      ? { identifyCaller: evaluation.identifyCaller, reports: unleash.reports, readDocument: unleash.readDocument }
      : undefined,
  });
  const { fetch, loadRoutes } = lateRoutes(options, counters);
  const inFlight = new RequestsInFlight();
  const featuresFastPath = new FeaturesFastPath(featuresResponses, callContext, counters, inFlight, sharing, log);
  const shortcut: TryServe = (incoming, outgoing, next) =>
    featuresFastPath.tryServe(incoming, outgoing) || ofrepFastPath.tryServe(incoming, outgoing, next);
  return {
    fetch: (request, environment) => {
      const response = fetch(request, environment);
      if (!(response instanceof Promise)) return response;
      inFlight.begin();
      return response.finally(() => inFlight.end());
    },
    loadRoutes,
    shortcut: config.log.requests ? loggedFastPath(shortcut, log) : shortcut,
    idle: () => waitAtMost(maxCallMs, inFlight.idle()),
  };
}

/**
 * Loads the routes after the start, or at the first request for one of them. The fast path serves `GET /features`
 * without them, and they and their libraries are a quarter of what a start loads.
 */
function lateRoutes(options: HttpOptions, counters: HttpCounters): Pick<HttpHandlers, "fetch" | "loadRoutes"> {
  let loaded: Fetch | undefined;
  const loadRoutes = once(async (): Promise<Fetch> => {
    const [{ httpApp }, { measured }] = await Promise.all([
      import("../../adapters/http/app.ts"),
      import("../../adapters/http/operations/measured.ts"),
    ]);
    loaded = measured(httpApp(options), counters);
    return loaded;
  });
  return {
    fetch: (request, environment) =>
      loaded ? loaded(request, environment) : loadRoutes().then((fetch) => fetch(request, environment)),
    loadRoutes,
  };
}
