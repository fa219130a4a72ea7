import type { Terminal } from "../../adapters/cli/terminal.ts";
import type { UseCases } from "../../adapters/cli/use-cases.ts";
import { urlOf } from "../../adapters/http/server/host.ts";
import { ChangeRejected } from "../../domain/errors.ts";
import { createLog } from "../../infrastructure/logger.ts";
import { type Composition, compose } from "../composition/container.ts";
import { DiKeys } from "../composition/di-keys.ts";
import { lazy, together } from "../composition/lazy.ts";
import type { Config } from "../config/config.ts";
import { checkDataVersions } from "./check-data-folder.ts";

/** Command timeout of the CLI. Longer than that of the service, because an operator may be far from Redis. */
const commandTimeoutMs = 2_000;

/** Runs one task of the CLI on the stores of a configuration, and closes them. */
export async function runOnStores(
  config: Config,
  { env, stderr }: Terminal,
  task: (useCases: UseCases) => Promise<void>,
): Promise<void> {
  checkDataVersions(config);
  await using composition = await compose(config, env);
  composition.replace(DiKeys.Log, createLog(env["LOG_LEVEL"] ?? "silent", stderr));
  composition.replace(DiKeys.CommandTimeoutMs, commandTimeoutMs);
  // A command reads each set once. Without a cache there are no invalidations: an import could cause a million of them.
  composition.replace(DiKeys.IsService, false);
  const connections = [...composition.get(DiKeys.Stores).connections.values()];
  const outcomes = await Promise.allSettled(connections.map((connection) => connection.connected()));
  try {
    await task(useCasesOf(composition, config.server));
  } catch (error) {
    // The task may not need an unreachable store, but if the task failed, that store is the probable cause.
    const unavailable = outcomes.find((outcome) => outcome.status === "rejected");
    throw unavailable && !(error instanceof ChangeRejected) ? unavailable.reason : error;
  }
}

/** The use cases are made on access: few tasks need the event log, for example. */
function useCasesOf({ get }: Composition, { timeZone: zone, host, port, basePath }: Config["server"]): UseCases {
  const evaluation = get(DiKeys.Evaluation);
  const attributes = lazy({ attributes: () => evaluation.callContext.attributes });
  const others = [get(DiKeys.Explain), get(DiKeys.Admin), get(DiKeys.Transfer), get(DiKeys.Events)] as const;
  return together(evaluation, attributes, ...others, { zone, serviceUrl: urlOf({ address: host, port }) + basePath });
}
