import { resolve } from "node:path";
import { checkAnswers } from "../client.ts";
import { startServer } from "../process.ts";
import type { Contestant } from "./contestant.ts";
import { everyUser } from "./tidegate.ts";

/** Starts `commands.ts` or `map.ts`, which serve the same users as Tidegate does. */
export async function plainServer(
  opened: AsyncDisposableStack,
  name: string,
  file: "commands.ts" | "map.ts",
  redisUrl: string,
): Promise<Contestant> {
  const command = [process.execPath, resolve(import.meta.dirname, "servers", file)];
  const server = await startServer(opened, command, { path: "/features", env: { REDIS_URL: redisUrl } });
  return { name, server, script: everyUser(), check: () => checkAnswers(server.url) };
}
