import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { accepts } from "./redis-process.ts";
import { until } from "./until.ts";

/** The user of a server, if it is not the user of the tests. */
export type User = { readonly uid?: number; readonly gid?: number };

/** A server that is killed and started again on the same port and data. */
export class Killable implements AsyncDisposable {
  readonly port: number;
  readonly #command: readonly string[];
  readonly #user: User;
  #child: ChildProcess | undefined;

  /** The command listens on the port, with data of its own. */
  constructor(port: number, command: readonly string[], user: User = {}) {
    this.port = port;
    this.#command = command;
    this.#user = user;
  }

  /** Retries the start, because files of the killed server may still be in use. */
  async start(): Promise<void> {
    const isUp = async () => {
      if (!this.#child || this.#child.exitCode !== null) this.#child = this.#spawn();
      return accepts(this.port);
    };
    await until(isUp, `${this.#command[0]} accepts connections`, 60_000);
  }

  /** As a crash does: nothing more is written. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null) return;
    child.stdin?.end();
    await once(child, "exit");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  /** The shell kills the server when its standard input closes, so that it ends with a killed test run. */
  #spawn(): ChildProcess {
    const script =
      'exec 3<&0; "$@" > /dev/null 2>&1 & server=$!; { cat <&3 > /dev/null; kill -9 $server; } & wait $server; kill -9 $!';
    const shell = spawn("sh", ["-c", script, "sh", ...this.#command], {
      stdio: ["pipe", "ignore", "ignore"],
      cwd: "/",
      ...this.#user,
    });
    shell.stdin?.on("error", () => {});
    return shell;
  }
}
