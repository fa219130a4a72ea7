import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

/** A server under test: a process on processor 0. */
export type Contestant = { readonly url: string; readonly stop: () => Promise<void> };

/** Starts a command on processor 0, and waits until it prints something. */
export async function contestant(
  command: readonly string[],
  port: number,
  env: NodeJS.ProcessEnv,
): Promise<Contestant> {
  const child: ChildProcess = spawn("taskset", ["-c", "0", ...command], {
    env: { ...process.env, PORT: `${port}`, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (child.stdout) await Promise.race([once(child.stdout, "data"), once(child, "exit")]);
  if (child.exitCode !== null) throw new Error(`${command.join(" ")} ended with ${child.exitCode}`);
  return {
    url: `http://127.0.0.1:${port}/features`,
    stop: async () => {
      child.kill("SIGTERM");
      await once(child, "exit");
    },
  };
}
