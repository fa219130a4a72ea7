import type { Terminal } from "../../adapters/cli/terminal.ts";
import type { UseCases } from "../../adapters/cli/use-cases.ts";
import { ChangeRejected } from "../../domain/errors.ts";
import { createLog } from "../../infrastructure/logger.ts";
import { type Composition, compose } from "../composition/container.ts";
import { DiKeys } from "../composition/di-keys.ts";
import type { Config } from "../config/config.ts";

/** Command timeout of the CLI. Longer than that of the service, because an operator may be far from Redis. */
const commandTimeoutMs = 2_000;

/** Runs one task of the CLI on the stores of a configuration, and closes them. */
export async function runOnStores(
  config: Config,
  { env, stderr }: Terminal,
  task: (useCases: UseCases) => Promise<void>,
): Promise<void> {
  await using composition = compose(config, env);
  composition.replace(DiKeys.Log, createLog(env["LOG_LEVEL"] ?? "silent", stderr));
  composition.replace(DiKeys.CommandTimeoutMs, commandTimeoutMs);
  const connections = [...composition.get(DiKeys.Connections).values()];
  const outcomes = await Promise.allSettled(connections.map((connection) => connection.connected()));
  try {
    await task(useCasesOf(composition));
  } catch (error) {
    // The task may not need an unreachable store, but if the task failed, that store is the probable cause.
    const away = outcomes.find((outcome) => outcome.status === "rejected");
    throw away && !(error instanceof ChangeRejected) ? away.reason : error;
  }
}

/** Use cases are created on access: few tasks need the event log, for example. */
const useCasesOf = (composition: Composition): UseCases => ({
  get attributes() {
    return composition.get(DiKeys.CallContext).attributes;
  },
  get zone() {
    return composition.get(DiKeys.TimeZone);
  },
  get awaitSources() {
    return composition.get(DiKeys.AwaitSources);
  },
  get resolveFeatures() {
    return composition.get(DiKeys.EvaluateFeatures);
  },
  get explainFeatures() {
    return composition.get(DiKeys.ExplainFeatures);
  },
  get sourceSets() {
    return composition.get(DiKeys.SourceSets);
  },
  get listFeatures() {
    return composition.get(DiKeys.ListFeatures);
  },
  get changeSet() {
    return composition.get(DiKeys.ChangeSet);
  },
  get manageRules() {
    return composition.get(DiKeys.ManageRules);
  },
  get manageTokens() {
    return composition.get(DiKeys.ManageTokens);
  },
  get manageCredentials() {
    return composition.get(DiKeys.ManageCredentials);
  },
  get loadDemo() {
    return composition.get(DiKeys.LoadDemo);
  },
  get acceptStores() {
    return composition.get(DiKeys.AcceptStores);
  },
  get readEvents() {
    return composition.get(DiKeys.ReadEvents);
  },
  get importData() {
    return unwatched(composition).get(DiKeys.ImportData);
  },
  get exportData() {
    return unwatched(composition).get(DiKeys.ExportData);
  },
});

/** Disables change notifications: without a cache, up to a million invalidations would be useless. */
function unwatched(composition: Composition): Composition {
  composition.replace(DiKeys.CachedSets, new Map());
  composition.replace(DiKeys.CachedRules, new Map());
  return composition;
}
