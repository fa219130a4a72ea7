import cluster from "node:cluster";
import { setTimeout } from "node:timers/promises";
import { noRoute } from "../../adapters/http/operations/http-counters.ts";
import { CheckInstance } from "../../application/system/check-instance.ts";
import { reportOf } from "../../application/system/worker-report.ts";
import { ChangeRejected } from "../../domain/errors.ts";
import type { Log } from "../../infrastructure/logger.ts";
import type { Admin } from "../composition/admin.ts";
import { compose } from "../composition/container.ts";
import { DiKeys } from "../composition/di-keys.ts";
import type { Config } from "../config/config.ts";
import { type HttpHandlers, httpHandlers } from "./http-handlers.ts";
import type { ProcessContext } from "./process-context.ts";

/** Serves HTTP for one configuration. Disposal closes all its parts. */
export type Runtime = AsyncDisposable &
  HttpHandlers & {
    readonly config: Config;
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
  };

/** Wires a configuration, and waits up to 2 s for its stores. Rejects, with everything closed, if the wiring fails. */
export async function createRuntime(config: Config, context: ProcessContext): Promise<Runtime> {
  const { env, log, stopping, metrics, instance, reports, readiness, traffic } = context;
  await using opened = new AsyncDisposableStack();
  const composition = opened.use(await compose(config, env));
  composition.replace(DiKeys.Log, log);
  composition.replace(DiKeys.InstanceChannel, instance);
  const admin = composition.get(DiKeys.Admin);
  const evaluation = composition.get(DiKeys.Evaluation);
  const events = composition.get(DiKeys.Events);
  const operations = composition.get(DiKeys.Operations);
  const { newFile } = admin.firstCredential ?? {};
  if (newFile) console.log(`The operator credential is in ${newFile}`);
  const { checkChanges, checkReadiness, httpCounters: counters, clientStreams } = operations;
  const { countUsage, recordUsage, eventStreams } = events;
  const checkInstance = new CheckInstance(readiness.gather, checkReadiness, events.checkEventLog);
  const endStreams = () => {
    eventStreams.close();
    clientStreams.close();
  };
  stopping.addEventListener("abort", endStreams);
  opened.defer(() => stopping.removeEventListener("abort", endStreams));
  const handlers = httpHandlers(config, composition, checkInstance, context);
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
  void checkChanges.checkUntilKnown();
  opened.use(metrics.add(operations.observed));
  opened.use(traffic.add(operations.traffic));
  const reported = { ...operations.reported, traffic };
  const open = opened.move();
  // A configuration that is only tried must not report.
  const report = () => {
    reports.use(() => reportOf(reported));
    readiness.use(checkInstance.ofWorker);
  };
  return {
    config,
    ...handlers,
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
