import cluster from "node:cluster";
import { hostname } from "node:os";
import { setTimeout } from "node:timers/promises";
import packageJson from "../../../package.json" with { type: "json" };
import type { HttpOptions } from "../../adapters/http/app.ts";
import { FastPath as FeaturesFastPath } from "../../adapters/http/client/fast-path.ts";
import { FeaturesResponses } from "../../adapters/http/client/features-responses.ts";
import { PrepareResponse } from "../../adapters/http/client/prepared-response.ts";
import { ResponseCache } from "../../adapters/http/client/response-cache.ts";
import { OfrepFastPath } from "../../adapters/http/ofrep/ofrep-fast-path.ts";
import { durationBuckets, noRoute } from "../../adapters/http/operations/http-counters.ts";
import { loggedFastPath } from "../../adapters/http/operations/logged-fast-path.ts";
import { CrossOriginSharing } from "../../adapters/http/server/cross-origin-sharing.ts";
import type { Fetch } from "../../adapters/http/server/request-listener.ts";
import { RequestsInFlight } from "../../adapters/http/server/requests-in-flight.ts";
import type { FastPath } from "../../adapters/http/server/server.ts";
import { waitAtMost } from "../../application/evaluation/deadline.ts";
import { CheckInstance, type WorkerReadiness } from "../../application/system/check-instance.ts";
import type { RecentTraffic } from "../../application/system/recent-traffic.ts";
import type { ReloadConfig } from "../../application/system/reload-config.ts";
import { viewInstances } from "../../application/system/view-instances.ts";
import { ViewSystem } from "../../application/system/view-system.ts";
import { reportOf, type WorkerReport } from "../../application/system/worker-report.ts";
import { ChangeRejected } from "../../domain/errors.ts";
import type { InstanceChannel } from "../../infrastructure/invalidation/instance-channel.ts";
import type { Log } from "../../infrastructure/logger.ts";
import type { InstanceMetrics } from "../../infrastructure/metrics/instance-metrics.ts";
import type { WorkerReports } from "../../infrastructure/workers/worker-reports.ts";
import type { Admin } from "../composition/admin.ts";
import { compose } from "../composition/container.ts";
import { DiKeys } from "../composition/di-keys.ts";
import { together } from "../composition/lazy.ts";
import { thisProcess } from "../composition/this-process.ts";
import type { Config } from "../config/config.ts";
import { overridesIn } from "../config/environment.ts";
import { redacted } from "../config/redacted.ts";
import { lateRoutes } from "./late-routes.ts";

/** Serves HTTP for one configuration. Disposal closes all its parts. */
export type Runtime = AsyncDisposable & {
  readonly config: Config;
  readonly fetch: Fetch;
  /** Loads the routes that `fetch` serves, which otherwise wait for the first request. */
  readonly loadRoutes: () => Promise<unknown>;
  /** Fast path for prepared responses. */
  readonly shortcut: FastPath;
  /** Counts a request that was rejected before routing. The method is `undefined` if it could not be parsed. */
  readonly rejected: (status: number, method: string | undefined) => void;
  /** Resets the counters of requests and evaluations. */
  readonly resetCounters: () => void;
  /** Waits until the service is ready, or until the limit. Returns what is missing, one sentence each. */
  readonly unready: (limit: AbortSignal) => Promise<readonly string[]>;
  /** Writes the snapshot of the caches, if one is configured. */
  readonly writeSnapshot: () => Promise<void>;
  /** A link that signs in once, if this runtime created the first credential and a store for sessions answers. */
  readonly signInLink: () => Promise<string | undefined>;
  /** Makes this process report the state of this runtime from now on. */
  readonly report: () => void;
  /** Waits for running requests, at most 10 s. No source may take longer. */
  readonly idle: () => Promise<void>;
};

const maxCallMs = 10_000;

/** Process-wide objects that are shared by successive configurations. */
export type ProcessContext = {
  readonly env: NodeJS.ProcessEnv;
  readonly log: Log;
  readonly stopping: AbortSignal;
  readonly metrics: InstanceMetrics;
  readonly instance: InstanceChannel;
  readonly reports: WorkerReports<WorkerReport>;
  readonly readiness: WorkerReports<WorkerReadiness>;
  readonly traffic: RecentTraffic;
  readonly reloadConfig: ReloadConfig;
};

/** Wires a configuration, and waits up to 2 s for its stores. Rejects, with everything closed, if the wiring fails. */
export async function createRuntime(
  config: Config,
  { env, log, stopping, metrics, instance, reports, readiness, traffic, reloadConfig }: ProcessContext,
): Promise<Runtime> {
  await using opened = new AsyncDisposableStack();
  const composition = opened.use(await compose(config, env));
  composition.replace(DiKeys.Log, log);
  composition.replace(DiKeys.InstanceChannel, instance);
  const admin = composition.get(DiKeys.Admin);
  const evaluation = composition.get(DiKeys.Evaluation);
  const events = composition.get(DiKeys.Events);
  const explain = composition.get(DiKeys.Explain);
  const feeds = composition.get(DiKeys.Feeds);
  const operations = composition.get(DiKeys.Operations);
  const unleash = composition.get(DiKeys.Unleash);
  const { newFile } = admin.firstCredential ?? {};
  if (newFile) console.log(`The operator credential is in ${newFile}`);
  const { checkChanges, checkReadiness, httpCounters: counters } = operations;
  const { callContext } = evaluation;
  const { countUsage, recordUsage } = events;
  const checkInstance = new CheckInstance(readiness.gather, checkReadiness, events.checkEventLog);
  const now = Date.now;
  const responseCache = new ResponseCache(config.cache.capacity, now, counters, countUsage);
  const { cors } = config.server;
  const sharing = cors && new CrossOriginSharing(cors.origins, callContext);
  const ofrepFastPath = new OfrepFastPath(responseCache, callContext, counters, operations.streamLimits, sharing);
  const responses = new PrepareResponse(() => callContext.vary, now, counters, countUsage);
  const { evaluateFeatures, evaluateFlags } = evaluation;
  const featuresResponses = new FeaturesResponses(
    evaluateFeatures,
    evaluateFlags,
    responseCache,
    responses,
    callContext,
  );
  const streams = events.eventStreams;
  const { clientStreams } = operations;
  const endStreams = () => {
    streams.close();
    clientStreams.close();
  };
  stopping.addEventListener("abort", endStreams);
  opened.defer(() => stopping.removeEventListener("abort", endStreams));
  const invalidationFeeds = [...composition.get(DiKeys.Stores).invalidationFeeds.values()];
  const options: HttpOptions = together(evaluation, events, explain, feeds, admin, operations, {
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
  // The next steps need connected stores. An unreachable store does not prevent the start.
  const connected = [...composition.get(DiKeys.Stores).connections.values()].map((store) => store.connected());
  for (const keeping of events.outboxRelayJobs.values()) keeping.start();
  events.expireEvents?.start();
  recordUsage.start();
  admin.registerFeatures?.start();
  await Promise.allSettled([operations.snapshot?.start(), ...connected]);
  await warnWithoutOperators(admin, log);
  // The state of a feed is restored first, from the store or from the snapshot.
  for (const { begin } of evaluation.background) begin();
  void checkChanges.check();
  opened.use(metrics.add(operations.observed));
  opened.use(traffic.add(operations.traffic));
  const reported = { ...operations.reported, traffic };
  const { fetch, load } = lateRoutes(options, counters);
  const inFlight = new RequestsInFlight();
  const featuresFastPath = new FeaturesFastPath(featuresResponses, callContext, counters, inFlight, sharing, log);
  const shortcut: FastPath = (incoming, outgoing, next) =>
    featuresFastPath.tryServe(incoming, outgoing) || ofrepFastPath.tryServe(incoming, outgoing, next);
  const open = opened.move();
  // A configuration that is only tried must not report.
  const report = () => {
    reports.use(() => reportOf(reported));
    readiness.use(checkInstance.ofWorker);
  };
  return {
    config,
    fetch: (request, environment) => {
      const response = fetch(request, environment);
      if (!(response instanceof Promise)) return response;
      inFlight.begin();
      return response.finally(() => inFlight.end());
    },
    loadRoutes: load,
    shortcut: config.log.requests ? loggedFastPath(shortcut, log) : shortcut,
    rejected: (status, method) => counters.of(noRoute, method).count(status),
    resetCounters: () => {
      counters.clear();
      countUsage.clear();
    },
    unready: async (limit) => {
      while (true) {
        const { ready, connections, sources } = await checkReadiness.check();
        if (ready) return [];
        if (limit.aborted) return [...failing("connection", connections), ...failing("source", sources)];
        await setTimeout(20);
      }
    },
    writeSnapshot: async () => operations.snapshot?.write(),
    signInLink: async () => (newFile === undefined ? undefined : admin.signInLink().catch(() => undefined)),
    report,
    idle: () => waitAtMost(maxCallMs, inFlight.idle()),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

/** Warns if no operator can use the admin API. */
async function warnWithoutOperators(admin: Admin, log: Log): Promise<void> {
  // Only one worker logs the warning.
  if (admin.firstCredential || (cluster.worker?.id ?? 1) > 1) return;
  try {
    if ((await admin.manageCredentials.list()).length > 0) return;
  } catch (cause) {
    // An unreachable store is logged elsewhere. Without a store there are no credentials.
    if (!(cause instanceof ChangeRejected)) return;
  }
  log.warn(
    "admin API closed: no operator credential; set TIDEGATE_ADMIN_TOKEN and restart, or run: tidegate credentials add <name> --scope admin",
  );
}

const failing = (what: string, states: Readonly<Record<string, string>>): string[] =>
  Object.entries(states)
    .filter(([, state]) => state === "failing")
    .map(([name]) => `${what} "${name}" is unavailable; start it, or fix its configuration`);
