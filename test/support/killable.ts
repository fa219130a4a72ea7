import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { accepts } from "./redis-process.ts";
import { until } from "./until.ts";

/** A server that is killed and started again on the same port and data. */
export class Killable implements AsyncDisposable {
  readonly port: number;
  readonly #command: readonly string[];
  #child: ChildProcess | undefined;

  /** The command listens on the port, with data of its own. */
  constructor(port: number, command: readonly string[]) {
    this.port = port;
    this.#command = command;
  }

  async start(): Promise<void> {
    // The shell ends the server when its standard input closes, so that none outlives a test run that is killed.
    const script = '"$@" > /dev/null 2>&1 & cat; kill -9 $!; wait';
    this.#child = spawn("sh", ["-c", script, "sh", ...this.#command], { stdio: ["pipe", "ignore", "ignore"] });
    await until(() => accepts(this.port), `${this.#command[0]} accepts connections`);
  }

  /** As a crash does: nothing is written any more. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (!child) return;
    this.#child = undefined;
    const ended = once(child, "exit");
    child.stdin?.end();
    await ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}
