import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { until } from "./until.ts";

const root = resolve(import.meta.dirname, "../..");
/** What a process takes from the environment of the tests. */
export const inherited = Object.fromEntries(
  ["PATH", "HOME", "TMPDIR", "NODE_COMPILE_CACHE"].map((name) => [name, process.env[name]]),
);

/**
 * A script of this project in its own process, with its own data folder unless one is given. Node runs it, unless another
 * program is named.
 */
export class TestProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #data = mkdtempSync(join(tmpdir(), "tidegate-data-"));
  stdout = "";
  stderr = "";

  constructor(command: readonly string[], env: NodeJS.ProcessEnv, program = process.execPath) {
    this.#child = spawn(program, [resolve(root, command[0] ?? ""), ...command.slice(1)], {
      cwd: root,
      env: { ...inherited, TIDEGATE_DATA: this.#data, ...env },
      stdio: "pipe",
      detached: true,
    });
    this.#child.stdout?.setEncoding("utf8").on("data", (text) => {
      this.stdout += text;
    });
    this.#child.stderr?.setEncoding("utf8").on("data", (text) => {
      this.stderr += text;
    });
    this.#child.stdin?.end();
  }

  /** Its URL, once it is in the output. */
  async url(): Promise<string> {
    const isOver = () => /^Tidegate serves at \S+$/m.test(this.stdout) || this.ended;
    await until(isOver, "the service says where it serves", 60_000);
    const [, url] = /serves at (\S+)/.exec(this.stdout) ?? [];
    if (!url) throw new Error(`the service ended: ${this.stdout}${this.stderr}`);
    return url;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Sends a signal to the process group, as a terminal does. */
  signalGroup(signal: NodeJS.Signals): void {
    process.kill(-this.pid, signal);
  }

  /** Its exit code once it has ended; negative for a signal. */
  async exit(): Promise<number> {
    if (!this.ended) await once(this.#child, "close");
    return this.#child.exitCode ?? -1;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.exit();
    rmSync(this.#data, { recursive: true, force: true });
  }
}
