import { execFile } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { expect } from "vitest";
import { parse, parseDocument } from "yaml";
import { defaultFile } from "../../src/bootstrap/config/default-file.ts";
import { curl } from "./curl.ts";
import type { RedisServer } from "./redis.ts";
import { startServiceOn, type TestService } from "./service.ts";
import { tidegate } from "./tidegate.ts";

const root = resolve(import.meta.dirname, "../..");

const patienceMs = 60_000;
const isPause = (command = ""): boolean => /^sleep \d+$/.test(command);
const isUnavailable = (printed: string): boolean => printed.includes('"code":"source-unavailable"');
/** Whether a command asks the service after another process may have changed its store. */
const mayBeEarly = (command: string, previous: readonly { readonly command: string }[]): boolean =>
  isRead(command) && !previous.findLast((each) => !isRead(each.command))?.command.startsWith("curl");
const isRead = (command: string): boolean => command.startsWith("curl") && !command.includes(" -X ");

/** A reader who follows a page in an own folder. */
export class Walkthrough implements Disposable {
  readonly folder: string;
  readonly #page: string;
  readonly #redis: RedisServer | undefined;
  /** The variables that commands of the page exported. */
  readonly #exported: NodeJS.ProcessEnv = {};

  /** `page` is a Markdown file, relative to the project; `redis` is where its redis-cli goes. */
  constructor(page: string, redis?: RedisServer) {
    this.folder = mkdtempSync(join(tmpdir(), "tidegate-walk-"));
    copyFileSync(join(root, "config/embedded.yaml"), join(this.folder, "my.yaml"));
    this.#page = readFileSync(join(root, page), "utf8");
    this.#redis = redis;
  }

  /** Appends the first YAML under a heading to `my.yaml`, a copy of the embedded default; returns it. */
  configure(heading: string): string {
    const yaml = /```yaml\n([\s\S]*?)```/.exec(this.#section(heading))?.[1] ?? "";
    expect(yaml, `the YAML under ${heading}`).not.toBe("");
    const file = join(this.folder, "my.yaml");
    writeFileSync(file, readFileSync(file, "utf8") + yaml);
    return yaml;
  }

  /** Sets the options of the first YAML under a heading in a copy of a default configuration; returns its path. */
  merge(heading: string, file: string): string {
    const [, yaml = ""] = /```yaml\n([\s\S]*?)```/.exec(this.#section(heading)) ?? [];
    const document = parseDocument(readFileSync(join(root, file), "utf8"));
    for (const [section, options] of Object.entries<object>(parse(yaml))) {
      for (const [name, value] of Object.entries(options)) document.setIn([section, name], document.createNode(value));
    }
    const merged = join(this.folder, "merged.yaml");
    writeFileSync(merged, String(document));
    return merged;
  }

  /** Starts the page's service in this process. */
  serve(env: NodeJS.ProcessEnv): Promise<TestService> {
    return startServiceOn(defaultFile(env), env);
  }

  /** Runs the commands of the console blocks under a heading, and expects the output on the page. */
  async follow(heading: string, url: string, env: NodeJS.ProcessEnv, atLeast: number): Promise<void> {
    const commands = this.#commandsUnder(heading);
    expect(commands.length).toBeGreaterThanOrEqual(atLeast);
    for (const [index, { command, output }] of commands.entries()) {
      if (isPause(command) || this.#isExport(command)) continue;
      // The text at a … varies.
      const parts = output.split("…").map((part) => RegExp.escape(part));
      const wanted = new RegExp(`^${parts.join(".+")}$`);
      const startedAt = performance.now();
      let printed = await this.#run(command, url, env);
      // Where the page says to wait, it may take longer here. On a busy machine a store may be unavailable to a call, and
      // a call may arrive before the service receives the change of another process.
      while (
        !wanted.test(printed) &&
        (isPause(commands[index - 1]?.command) ||
          isUnavailable(printed) ||
          mayBeEarly(command, commands.slice(0, index))) &&
        performance.now() < startedAt + patienceMs
      ) {
        printed = await this.#run(command, url, env);
      }
      if (wanted.test(printed)) continue;
      expect(`$ ${command}\n${printed}`).toBe(`$ ${command}\n${output}`);
    }
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true });
  }

  /** Whether a command only sets a variable for the commands after it. */
  #isExport(command: string): boolean {
    const [, name, value = ""] = /^export (\w+)=(\S+)$/.exec(command) ?? [];
    if (name === undefined) return false;
    this.#exported[name] = this.#here(value);
    return true;
  }

  /** The path of a file that the page keeps in its folder. */
  #here(word: string): string {
    return word === "my.yaml" ? join(this.folder, word) : word;
  }

  #section(heading: string): string {
    return this.#page.split(/^## /m).find((text) => text.startsWith(heading)) ?? "";
  }

  /** The commands under a heading, each with its output on the page. */
  #commandsUnder(heading: string): { command: string; output: string }[] {
    const blocks = [...this.#section(heading).matchAll(/```console\n([\s\S]*?)```/g)].map(([, block]) => block ?? "");
    return blocks.flatMap((block) =>
      block.split(/^\$ /m).flatMap((entry) => {
        const [command = "", ...output] = entry.trimEnd().split("\n");
        return command ? [{ command, output: output.join("\n") }] : [];
      }),
    );
  }

  /**
   * Runs a command unchanged, except for the service's address. Each stage of a pipe starts when the previous one has
   * ended.
   */
  async #run(command: string, url: string, env: NodeJS.ProcessEnv): Promise<string> {
    let output = "";
    for (const stage of stagesOf(command.replaceAll("http://localhost:5000", url))) {
      output = await this.#runStage(stage, output, env);
    }
    return output.trimEnd();
  }

  /** Runs tidegate, curl and redis-cli in this process, and all else in a shell. Rejects if a command fails. */
  async #runStage(stage: string, input: string, env: NodeJS.ProcessEnv): Promise<string> {
    const [, program, rest = ""] = /^(npx tidegate|curl|redis-cli -n \d+) (.*)$/.exec(stage) ?? [];
    if (program === undefined) return this.#shell(stage, input, env);
    const isMerged = rest.endsWith(" 2>&1");
    const words = await this.#wordsOf(isMerged ? rest.slice(0, -" 2>&1".length) : rest, env);
    if (program === "curl") return curl(words);
    if (program !== "npx tidegate") return this.#redisCli(Number(program.split(" ").at(-1)), words);
    const here = words.map((word) => this.#here(word));
    const { code, stdout, stderr } = await tidegate(here, { ...env, ...this.#exported }, input, isMerged);
    if (code !== 0) throw new Error(`${stage}: exit code ${code}\n${stdout}${stderr}`);
    return stdout.replaceAll(`${this.folder}/`, "");
  }

  /** The arguments of this part of a command, as a shell splits it. */
  async #wordsOf(text: string, env: NodeJS.ProcessEnv): Promise<string[]> {
    const words = await this.#shell(`printf '%s\\0' ${text}`, "", env);
    return words.split("\0").slice(0, -1);
  }

  async #shell(script: string, input: string, env: NodeJS.ProcessEnv): Promise<string> {
    const running = promisify(execFile)("sh", ["-c", script], {
      cwd: this.folder,
      env: { ...env, PATH: process.env["PATH"] },
    });
    // A command that reads no input may end before the input is written.
    running.child.stdin?.on("error", () => {}).end(input);
    return (await running).stdout;
  }

  async #redisCli(database: number, [name = "", ...args]: readonly string[]): Promise<string> {
    if (!this.#redis) throw new Error("the page uses redis-cli, and there is no Redis");
    await this.#redis.client.select(database);
    const reply = await this.#redis.client.call(name, ...args);
    return typeof reply === "number" ? `(integer) ${reply}` : String(reply);
  }
}

/** The commands of a pipe. */
const stagesOf = (command: string): string[] =>
  (command.match(/(?:'[^']*'|"[^"]*"|[^|'"])+/g) ?? []).map((stage) => stage.trim());
