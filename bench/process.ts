import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { waitAtMost } from "../src/application/async/deadline.ts";
import { freePort } from "../test/support/free-port.ts";
import { until } from "../test/support/until.ts";
import { interrupted } from "./interruption.ts";
import { serverProcessor } from "./processors.ts";

type Options = {
  readonly env?: NodeJS.ProcessEnv;
  readonly folder?: string;
  /** The user to run as, if this process may choose. */
  readonly uid?: number;
  /** The signal for an orderly stop. */
  readonly signal?: NodeJS.Signals;
};

const inherited = Object.fromEntries(["PATH", "HOME", "TMPDIR"].map((name) => [name, process.env[name]]));
const ticksPerSecond = 100;
const endsWithinMs = 15_000;
const running = new Set<ChildProcess>();

process.on("exit", () => {
  for (const child of running) killGroup(child, "SIGKILL");
});

/** A process in its own group, which ends with all its children. */
export class Process implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #signal: NodeJS.Signals;
  readonly #command: string;
  #complaints = "";

  constructor([file = "", ...args]: readonly string[], { env = {}, folder, uid, signal = "SIGTERM" }: Options = {}) {
    this.#command = [file, ...args].join(" ");
    this.#signal = signal;
    this.#child = spawn(file, args, {
      cwd: folder,
      env: { ...inherited, ...env },
      stdio: ["ignore", "ignore", "pipe"],
      detached: true,
      ...(uid === undefined ? {} : { uid, gid: uid }),
    });
    running.add(this.#child);
    this.#child.on("error", ({ message }) => this.#complain(message));
    this.#child.stderr?.setEncoding("utf8").on("data", (text) => this.#complain(text));
  }

  /** Waits until a condition holds. Rejects with the standard error of the process if it ends before. */
  async ready(condition: () => Promise<boolean>): Promise<void> {
    await until(async () => this.ended || (await condition()), `${this.#command} is ready`, 120_000);
    if (this.ended) throw new Error(`${this.#command} ended: ${this.#complaints}`);
  }

  get ended(): boolean {
    return this.#child.pid === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** The processor time of it and its children, in seconds. */
  cpuSeconds(): number {
    return tree(this.#child.pid ?? 0).reduce((sum, pid) => sum + ticksOf(pid), 0) / ticksPerSecond;
  }

  /** The resident memory of it and its children, in bytes. Shared pages count for each. */
  residentBytes(): number {
    const kilobytes = tree(this.#child.pid ?? 0).map((pid) =>
      Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0),
    );
    return kilobytes.reduce((sum, each) => sum + each, 0) * 1_024;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.ended) {
      this.#child.kill(this.#signal);
      await waitAtMost(endsWithinMs, once(this.#child, "exit"));
    }
    killGroup(this.#child, "SIGKILL");
    running.delete(this.#child);
  }

  #complain(text: string): void {
    this.#complaints = `${this.#complaints}${text}`.slice(-2_000);
  }
}

/** A server under test: a process that answers HTTP on a port of this machine. */
export type Server = { readonly process: Process; readonly url: string };

type ServerOptions = Options & {
  /** The path to request until it responds. */
  readonly path: string;
  readonly processors?: string;
  /** The environment variable of its port. */
  readonly portVariable?: string;
};

/** Starts a server, and waits until it responds on a path. */
export async function startServer(
  opened: AsyncDisposableStack,
  command: readonly string[],
  { path, processors = serverProcessor, portVariable = "PORT", ...options }: ServerOptions,
): Promise<Server> {
  interrupted.throwIfAborted();
  const port = await freePort();
  const pinned = ["taskset", "--cpu-list", processors, ...command];
  const started = opened.use(new Process(pinned, { ...options, env: { ...options.env, [portVariable]: `${port}` } }));
  const url = `http://127.0.0.1:${port}${path}`;
  await started.ready(() => answers(url));
  return { process: started, url };
}

/** Whether a server responds at all, even with an error. */
export async function answers(url: string): Promise<boolean> {
  interrupted.throwIfAborted();
  try {
    const answer = await fetch(url);
    await answer.arrayBuffer();
    return answer.status < 500;
  } catch {
    return false;
  }
}

function killGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(-pid, signal);
  } catch {
    // No process of the group is left.
  }
}

function tree(pid: number): number[] {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number),
  );
  return [pid, ...children.flatMap(tree)];
}

/** User and system time: fields 14 and 15 of proc(5), counted from the end of the name, which may contain spaces. */
function ticksOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return Number(fields[11]) + Number(fields[12]);
}
