import { execFile } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { expect } from "vitest";
import type { RedisServer } from "./redis.ts";

const root = resolve(import.meta.dirname, "../..");

const patienceMs = 60_000;
const isPause = (command = ""): boolean => /^sleep \d+$/.test(command);

/** Somebody who does what a page says, in a folder of their own. */
export class Walkthrough implements Disposable {
  readonly folder: string;
  readonly #page: string;
  readonly #redis: RedisServer | undefined;

  /** `page` is a Markdown file, relative to the project; `redis` is where its redis-cli goes. */
  constructor(page: string, redis?: RedisServer) {
    this.folder = mkdtempSync(join(tmpdir(), "tidegate-walk-"));
    for (const name of ["src", "node_modules", "package.json"]) symlinkSync(join(root, name), join(this.folder, name));
    copyFileSync(join(root, "config/embedded.yaml"), join(this.folder, "my.yaml"));
    this.#page = readFileSync(join(root, page), "utf8");
    this.#redis = redis;
  }

  /** Adds the first YAML under a heading to the end of `my.yaml`, which begins as a copy of the embedded default; answers it. */
  configure(heading: string): string {
    const yaml = /```yaml\n([\s\S]*?)```/.exec(this.#section(heading))?.[1] ?? "";
    expect(yaml, `the YAML under ${heading}`).not.toBe("");
    const file = join(this.folder, "my.yaml");
    writeFileSync(file, readFileSync(file, "utf8") + yaml);
    return yaml;
  }

  /** Runs the commands of the console blocks under a heading, and expects what the page says that they print. */
  async follow(heading: string, url: string, env: NodeJS.ProcessEnv, atLeast: number): Promise<void> {
    const commands = this.#commandsUnder(heading);
    expect(commands.length).toBeGreaterThanOrEqual(atLeast);
    for (const [index, { command, output }] of commands.entries()) {
      if (isPause(command)) continue;
      // What stands for a … varies.
      const parts = output.split("…").map((part) => RegExp.escape(part));
      const wanted = new RegExp(`^${parts.join(".+")}$`);
      const startedAt = performance.now();
      let printed = await this.#run(command, url, env);
      // Where the page has somebody wait, it may take longer here.
      while (
        !wanted.test(printed) &&
        isPause(commands[index - 1]?.command) &&
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

  #section(heading: string): string {
    return this.#page.split(/^## /m).find((text) => text.startsWith(heading)) ?? "";
  }

  /** The commands under a heading, each with what the page says it prints. */
  #commandsUnder(heading: string): { command: string; output: string }[] {
    const blocks = [...this.#section(heading).matchAll(/```console\n([\s\S]*?)```/g)].map(([, block]) => block ?? "");
    return blocks.flatMap((block) =>
      block.split(/^\$ /m).flatMap((entry) => {
        const [command = "", ...output] = entry.trimEnd().split("\n");
        return command ? [{ command, output: output.join("\n") }] : [];
      }),
    );
  }

  /** Runs a command as it stands, but for the service's address, and a redis-cli that need not be installed. */
  async #run(command: string, url: string, env: NodeJS.ProcessEnv): Promise<string> {
    const [, database, redisCommand] = /^redis-cli -n (\d+) (.*)$/.exec(command) ?? [];
    if (this.#redis && database && redisCommand) {
      const [name = "", ...args] = redisCommand.split(" ");
      await this.#redis.client.select(Number(database));
      const reply = await this.#redis.client.call(name, ...args);
      return typeof reply === "number" ? `(integer) ${reply}` : String(reply);
    }
    const script = command
      .replaceAll("http://localhost:5000", url)
      .replaceAll("npx tidegate", `node ${join(root, "src/cli.ts")}`)
      .replace("curl ", "curl --silent ");
    const path = `${join(process.execPath, "..")}:${process.env["PATH"]}`;
    const options = { cwd: this.folder, env: { ...env, PATH: path } };
    const { stdout } = await promisify(execFile)("sh", ["-c", script], options);
    return stdout.trimEnd();
  }
}
