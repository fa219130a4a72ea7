import cluster from "node:cluster";
import { setTimeout } from "node:timers/promises";
import packageJson from "../package.json" with { type: "json" };
import { counted, type Fetch, httpApp } from "./adapters/http/app.ts";
import { noRoute } from "./adapters/http/counts.ts";
import { PreparedAnswers } from "./adapters/http/prepared-answers.ts";
import type { Shortcut } from "./adapters/http/server.ts";
import { shortcut } from "./adapters/http/shortcut.ts";
import { waitAtMost } from "./application/deadline.ts";
import type { Config } from "./config.ts";
import { type Composition, compose } from "./container.ts";
import { ChangeRefused } from "./domain/errors.ts";
import type { InstanceChannel } from "./infrastructure/instance-channel.ts";
import type { Log } from "./infrastructure/logger.ts";
import type { Figures } from "./infrastructure/metrics/figures.ts";
import { Tokens } from "./tokens.ts";

/** What answers HTTP as one configuration says. Disposing of it closes everything that it is made of. */
export type Answering = AsyncDisposable & {
  readonly config: Config;
  readonly fetch: Fetch;
  /** Has nothing to answer where requests are logged or other origins may ask: that is up to the routes. */
  readonly shortcut: Shortcut;
  /** Counts what was refused before there was a request. */
  readonly refused: (status: number) => void;
  /** Counts calls from here on. */
  readonly countAnew: () => void;
  /** Waits until clients would be answered, or until the limit; answers what is lacking then, a sentence each. */
  readonly lacking: (limit: AbortSignal) => Promise<readonly string[]>;
  /** Writes what is remembered to where the next finds it, if anywhere. */
  readonly remember: () => Promise<void>;
  /** Waits until the calls under way have ended, and ten seconds at most: no source may take longer. */
  readonly idle: () => Promise<void>;
};

const longestCallMs = 10_000;

/** What a process lends to each configuration that it serves in turn. */
export type Host = {
  readonly env: NodeJS.ProcessEnv;
  readonly log: Log;
  readonly stopping: AbortSignal;
  readonly figures: Figures;
  readonly instance: InstanceChannel;
};

/** Wires a configuration, and waits up to two seconds for its stores. Rejects, with nothing left open, where it cannot be wired. */
export async function answering(config: Config, { env, log, stopping, figures, instance }: Host): Promise<Answering> {
  await using opened = new AsyncDisposableStack();
  const composition = opened.use(compose(config, env));
  composition.replace(Tokens.Log, log);
  composition.replace(Tokens.InstanceChannel, instance);
  const newFile = composition.get(Tokens.FirstCredential)?.newFile;
  if (newFile) console.log(`The operators' credential is in ${newFile}`);
  const checkChanges = composition.get(Tokens.CheckChanges);
  const checkReadiness = composition.get(Tokens.CheckReadiness);
  const counts = composition.get(Tokens.Counts);
  const callContext = composition.get(Tokens.CallContext);
  const answers = new PreparedAnswers(
    config.cache.capacity,
    callContext.headers,
    composition.get(Tokens.Clock),
    counts,
  );
  const streams = composition.get(Tokens.EventStreams);
  const endStreams = () => streams.close();
  stopping.addEventListener("abort", endStreams);
  opened.defer(() => stopping.removeEventListener("abort", endStreams));
  const app = httpApp({
    resolveFeatures: composition.get(Tokens.ResolveFeatures),
    recallFeatures: composition.get(Tokens.RecallFeatures),
    explainFeatures: composition.get(Tokens.ExplainFeatures),
    compareMoments: composition.get(Tokens.CompareMoments),
    checkReadiness,
    checkChanges,
    checkRecords: composition.get(Tokens.CheckRecords),
    answers,
    searchItems: composition.get(Tokens.SearchItems),
    callContext,
    readKey: composition.get(Tokens.ReadKey),
    viewCache: composition.get(Tokens.ViewCache),
    backoffice: {
      sets: composition.get(Tokens.SourceSets),
      changeSet: composition.get(Tokens.ChangeSet),
      listFeatures: composition.get(Tokens.ListFeatures),
      catalogue: composition.get(Tokens.Catalogue),
      manageSettings: composition.get(Tokens.ManageSettings),
      viewItems: composition.get(Tokens.ViewItems),
      viewUser: composition.get(Tokens.ViewUser),
      manageTokens: composition.get(Tokens.ManageTokens),
      claims: composition.get(Tokens.Claims),
    },
    readActivity: composition.get(Tokens.ReadActivity),
    recordActivity: composition.get(Tokens.RecordActivity),
    tailActivity: composition.get(Tokens.TailActivity),
    streams,
    scrape: figures.scrape,
    identifyOperator: composition.get(Tokens.IdentifyOperator),
    isStopping: () => stopping.aborted,
    log,
    logRequests: config.log.requests,
    corsOrigins: config.server.cors?.origins ?? [],
    version: packageJson.version,
    zone: composition.get(Tokens.TimeZone),
    basePath: config.server.basePath,
    isActivityService: config.compatibility.activityService,
  });
  // What follows finds the stores connected; one that cannot be had is no reason not to serve.
  const connected = [...composition.get(Tokens.Connections).values()].map((store) => store.connected());
  for (const keeping of composition.get(Tokens.KeepRecords).values()) keeping.start();
  composition.get(Tokens.ExpireActivity)?.start();
  await Promise.allSettled([composition.get(Tokens.Snapshot)?.start(), ...connected]);
  await warnWithoutOperators(composition, log);
  // What is known of a feed is read first, from the store or else from the snapshot.
  for (const { begin } of composition.get(Tokens.Background)) begin();
  void checkChanges.check();
  opened.use(figures.of(composition.get(Tokens.Metrics)));
  const fetch = counted(app, counts);
  const underWay = new Set<Promise<Response>>();
  const open = opened.move();
  return {
    config,
    fetch: (request, environment) => {
      const response = fetch(request, environment);
      if (!(response instanceof Promise)) return response;
      underWay.add(response);
      return response.finally(() => underWay.delete(response));
    },
    shortcut: config.log.requests || config.server.cors ? () => false : shortcut(answers, callContext, counts),
    refused: (status) => counts.count(noRoute, status),
    countAnew: () => counts.clear(),
    lacking: async (limit) => {
      while (true) {
        const { ready, connections, sources } = await checkReadiness.execute();
        if (ready) return [];
        if (limit.aborted) return [...failing("connection", connections), ...failing("source", sources)];
        await setTimeout(20);
      }
    },
    remember: async () => composition.get(Tokens.Snapshot)?.write(),
    idle: () => waitAtMost(longestCallMs, Promise.allSettled(underWay)),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

/** Logs that nobody can use the admin API, if that is so. */
async function warnWithoutOperators(composition: Composition, log: Log): Promise<void> {
  // One of the workers says it for all.
  if (composition.get(Tokens.FirstCredential) || (cluster.worker?.id ?? 1) > 1) return;
  try {
    if ((await composition.get(Tokens.ManageCredentials).list()).length > 0) return;
  } catch (cause) {
    // A store that does not answer is logged anyway; without one there are no credentials.
    if (!(cause instanceof ChangeRefused)) return;
  }
  log.warn(
    "the admin API is closed, because no operator has a credential; set TIDEGATE_ADMIN_TOKEN and start again, or run: tidegate credentials add <name> --scope admin",
  );
}

const failing = (what: string, states: Readonly<Record<string, string>>): string[] =>
  Object.entries(states)
    .filter(([, state]) => state === "failing")
    .map(([name]) => `the ${what} "${name}" does not answer; start what it reads, or mend its entry`);
