import { execFile } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TestProcess } from "./support/process.ts";
import { type RedisServer, startRedis } from "./support/redis.ts";

const root = resolve(import.meta.dirname, "..");
const readme = readFileSync(join(root, "README.md"), "utf8");

/** The commands under a heading of the README, each with what the README says it prints. */
function commandsUnder(heading: string): { command: string; output: string }[] {
  const section = readme.split(/^## /m).find((text) => text.startsWith(heading)) ?? "";
  const blocks = [...section.matchAll(/```console\n([\s\S]*?)```/g)].map(([, block]) => block ?? "");
  return blocks.flatMap((block) =>
    block.split(/^\$ /m).flatMap((entry) => {
      const [command = "", ...output] = entry.trimEnd().split("\n");
      return command ? [{ command, output: output.join("\n") }] : [];
    }),
  );
}

describe("the README", () => {
  let folder: string;
  let redis: RedisServer;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "tidegate-readme-"));
    redis = await startRedis();
    for (const name of ["src", "node_modules", "package.json"]) symlinkSync(join(root, name), join(folder, name));
    copyFileSync(join(root, "config/embedded.yaml"), join(folder, "my.yaml"));
  });
  afterAll(async () => {
    await redis[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  /** Runs a command as it stands, but for the service's address, and a redis-cli that need not be installed. */
  async function run(command: string, url: string, env: NodeJS.ProcessEnv): Promise<string> {
    const [, database, redisCommand] = /^redis-cli -n (\d+) (.*)$/.exec(command) ?? [];
    if (database && redisCommand) {
      const [name = "", ...args] = redisCommand.split(" ");
      await redis.client.select(Number(database));
      const reply = await redis.client.call(name, ...args);
      return typeof reply === "number" ? `(integer) ${reply}` : String(reply);
    }
    const script = command
      .replaceAll("http://localhost:5000", url)
      .replaceAll("npx tidegate", `node ${join(root, "src/cli.ts")}`)
      .replace("curl ", "curl --silent ");
    const path = `${join(process.execPath, "..")}:${process.env["PATH"]}`;
    const { stdout } = await promisify(execFile)("sh", ["-c", script], { cwd: folder, env: { ...env, PATH: path } });
    return stdout.trimEnd();
  }

  async function follow(heading: string, url: string, env: NodeJS.ProcessEnv, atLeast: number): Promise<void> {
    const commands = commandsUnder(heading);
    expect(commands.length).toBeGreaterThanOrEqual(atLeast);
    for (const { command, output } of commands) {
      const printed = await run(command, url, env);
      // What stands for a … varies.
      const parts = output.split("…").map((part) => RegExp.escape(part));
      if (new RegExp(`^${parts.join(".+")}$`).test(printed)) continue;
      expect(`$ ${command}\n${printed}`).toBe(`$ ${command}\n${output}`);
    }
  }

  it("says what its commands print: on the embedded default, to operators, and with a location's rule set", async () => {
    const env = { TIDEGATE_DATA: join(folder, "data"), TIDEGATE_ADMIN_TOKEN: "the-operators-credential" };
    await using service = new TestProcess(["src/main.ts"], { ...env, PORT: "0" });
    const url = await service.url();
    await follow("Ask it something", url, env, 10);
    await follow("Watch it", url, env, 4);
    await follow("Who may operate it", url, env, 3);
    await follow("Change it over HTTP", url, env, 8);
    await follow("Activity log", url, env, 5);
    const yaml = /## Add a rule set[\s\S]*?```yaml\n([\s\S]*?)```/.exec(readme)?.[1] ?? "";
    expect(yaml.trimEnd().split("\n")).toHaveLength(4);
    writeFileSync(join(folder, "my.yaml"), readFileSync(join(folder, "my.yaml"), "utf8") + yaml);
    await follow("Add a rule set", url, env, 3);
    await using located = new TestProcess(["src/main.ts"], {
      ...env,
      PORT: "0",
      TIDEGATE_CONFIG: join(folder, "my.yaml"),
    });
    expect(await (await fetch(`${await located.url()}/features?location=madrid`)).text()).toBe(
      '{"active_features":["feature_1","feature_2","tapas"]}',
    );
  });

  it("says what its commands print: on Redis", async () => {
    const env = {
      REDIS_USERS_URL: `${redis.url}/1`,
      REDIS_FEATURES_URL: `${redis.url}/1`,
      TIDEGATE_DATA: join(folder, "redis-data"),
    };
    await using service = new TestProcess(["src/main.ts"], { ...env, HOST: "127.0.0.1", PORT: "0" });
    await follow("On Redis", await service.url(), env, 7);
  });
});
