import { spawnSync } from "node:child_process";
import { freePort } from "../../test/support/free-port.ts";
import { Client } from "../client.ts";
import { type Server, startServer } from "../process.ts";
import { Unobtainable } from "./contestant.ts";
import { bulkPath, evaluate } from "./ofrep.ts";

/** Starts flagd with its defaults, on a file of flags. */
export async function flagd(opened: AsyncDisposableStack, file: string): Promise<Server> {
  if (spawnSync("which", ["flagd"]).status !== 0) {
    throw new Unobtainable("flagd is not on the PATH; https://github.com/open-feature/flagd/releases has it");
  }
  const others = ["--port", "--management-port", "--sync-port"];
  const ports = await Promise.all(others.map(async (option) => [option, `${await freePort()}`]));
  const server = await startServer(opened, ["flagd", "start", "--uri", `file:${file}`, ...ports.flat()], {
    path: bulkPath,
    portVariable: "FLAGD_OFREP_PORT",
  });
  using client = new Client();
  // It responds before it has read the file.
  await server.process.ready(async () => (await evaluate(client, server, 0)).flags.length > 0);
  return server;
}
