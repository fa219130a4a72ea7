import { setTimeout } from "node:timers/promises";
import { startTidegate } from "../../contestants/tidegate.ts";
import type { Server } from "../../process.ts";

const pauseMs = 2_000;
/** Processor time of an idle server in a pause, in seconds. */
const idleSeconds = 0.1;
const mostPauses = 60;

/** Waits until a server has finished its work in the background, such as recording the sets of a new store. */
export async function idle({ process }: Server): Promise<void> {
  for (let pause = 0; pause < mostPauses; pause++) {
    const before = process.cpuSeconds();
    await setTimeout(pauseMs);
    if (process.cpuSeconds() - before <= idleSeconds) return;
  }
}

type Options = NonNullable<Parameters<typeof startTidegate>[2]>;

/** Starts Tidegate on a store whose sets it has recorded before, as after each start but the first. */
export async function startOnRecorded(
  opened: AsyncDisposableStack,
  redisUrl: string,
  folder: string,
  options: Options = {},
): Promise<Server> {
  const env = { ...options.env, TIDEGATE_DATA: folder };
  {
    await using first = new AsyncDisposableStack();
    await idle(await startTidegate(first, redisUrl, { ...options, env }));
  }
  const server = await startTidegate(opened, redisUrl, { ...options, env });
  await idle(server);
  return server;
}
