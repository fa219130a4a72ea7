import { randomUUID } from "node:crypto";
import { withDeadline } from "../../application/async/deadline.ts";
import type { ReloadConfig, ReloadResult } from "../../application/system/reload-config.ts";
import type { ConfigurationMessage, ReloadMessage, WorkerMessage } from "./pool-messages.ts";
import { eventsUntil } from "./signals.ts";

const maxReloadMs = 30_000;

/** Yields each configuration from the primary process. Requests the first. */
export async function* receivedConfigurations(stop: AbortSignal) {
  const messages = eventsUntil(stop, process, "message") as AsyncIterable<[Partial<ConfigurationMessage>]>;
  report({ requestsConfiguration: true });
  for await (const [{ configuration, othersServe, isDryRun }] of messages) {
    if (configuration === undefined) continue;
    const reply = isDryRun ? (problems: readonly string[]) => report({ problems }) : undefined;
    yield { text: configuration, othersServe, reply };
  }
}

/** Reloads the configuration of all workers, through the parent process. Rejects if that takes more than 30 s. */
export const reloadAll: ReloadConfig = async (isDryRun) => {
  const id = randomUUID();
  const { promise, resolve } = Promise.withResolvers<ReloadResult>();
  const receive = ({ reloaded }: Partial<ReloadMessage>) => {
    if (reloaded?.id === id) resolve(reloaded.result);
  };
  process.on("message", receive);
  report({ reload: { id, isDryRun } });
  try {
    return await withDeadline(maxReloadMs, () => promise);
  } finally {
    process.off("message", receive);
  }
};

/** Reports to the parent process that this worker serves. */
export const reportServing = (url: string): void => report({ serving: url });

const report = (message: WorkerMessage): void => void process.send?.(message);
