import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TestProcess } from "../../support/process.ts";
import { tidegate } from "../../support/tidegate.ts";

const root = resolve(import.meta.dirname, "../../..");
const folder = mkdtempSync(join(tmpdir(), "tidegate-cli-process-"));
afterAll(() => rmSync(folder, { recursive: true }));
const env = { TIDEGATE_DATA: join(folder, "data") };

/** Runs a shell script in the project, in which `tidegate` is the command. */
const shell = (script: string) =>
  promisify(execFile)("sh", ["-c", `tidegate() { "${process.execPath}" src/cli.ts "$@"; }\n${script}`], {
    cwd: root,
    env: { ...process.env, ...env },
  });

/** Runs a command in a process that runs a module before. */
const preloaded = (module: string, command: string) =>
  shell(`"${process.execPath}" --import 'data:text/javascript,${encodeURIComponent(module)}' src/cli.ts ${command}`);

describe("a command as a process", () => {
  beforeAll(async () => {
    const features = JSON.stringify(Array.from({ length: 3_000 }, (_, index) => `feature_${index}`));
    const sets = Array.from({ length: 4 }, (_, user) => `{"set":"features:user:${user}","features":${features}}\n`);
    const file = join(folder, "many.ndjson");
    writeFileSync(file, `{"tidegate":1}\n{"set":"global_features","features":${features}}\n${sets.join("")}`);
    expect(await tidegate(["import", file], env)).toMatchObject({ code: 0 });
  });

  it.each(["explain feature_1", "events head"])("exits within 300 ms of its last output: %s", async (command) => {
    // A busy machine stretches the time to the exit, but not the time in which the process waits for something.
    const report = `
      const { write } = process.stdout;
      let then = performance.eventLoopUtilization();
      process.stdout.write = function (...given) {
        then = performance.eventLoopUtilization();
        return write.apply(this, given);
      };
      process.on("exit", () => console.error("waited: " + performance.eventLoopUtilization(then).idle));`;
    const { stderr } = await preloaded(report, command);
    expect(Number(/waited: ([\d.]+)/.exec(stderr)?.[1])).toBeLessThanOrEqual(300);
  });

  it.each([
    ["--help", 60],
    ["validate", 350],
    ["evaluate", 650],
    ["explain feature_1", 700],
    ["features list", 700],
    ["sets add active_features feature_1", 650],
  ])("loads few modules, because each takes time: %s", async (command, limit) => {
    const count = `
      import { registerHooks } from "node:module";
      let count = 0;
      registerHooks({ load: (url, context, next) => (count++, next(url, context)) });
      process.on("exit", () => console.error("modules: " + count));`;
    const { stderr } = await preloaded(count, command);
    const modules = Number(/modules: (\d+)/.exec(stderr)?.[1]);
    expect(modules).toBeGreaterThan(20);
    expect(modules).toBeLessThan(limit);
  });

  it("loads few modules before it listens, and not Node's client", async () => {
    const report = `
      import { registerHooks } from "node:module";
      import { Server } from "node:net";
      let count = 0;
      registerHooks({ load: (url, context, next) => (count++, next(url, context)) });
      const { listen } = Server.prototype;
      Server.prototype.listen = function (...given) {
        console.error("modules: " + count + ", client: " + process.moduleLoadList.some((name) => /undici/.test(name)));
        return listen.apply(this, given);
      };`;
    const NODE_OPTIONS = `--import data:text/javascript,${encodeURIComponent(report)}`;
    await using service = new TestProcess(["src/main.ts"], { ...env, NODE_OPTIONS, PORT: "0" });
    await service.url();
    const [, modules, client] = /modules: (\d+), client: (\w+)/.exec(service.stderr) ?? [];
    expect(client).toBe("false");
    expect(Number(modules)).toBeGreaterThan(20);
    expect(Number(modules)).toBeLessThan(630);
  });

  it("runs as `npx tidegate` of the system's npm, without warnings about its Node version", async () => {
    const PATH = process.env["PATH"]?.split(":").filter((folder) => !folder.endsWith("node_modules/.bin"));
    const { stdout, stderr } = await promisify(execFile)(
      "npx",
      ["--offline", "tidegate", "validate", "config/embedded.yaml"],
      // npm checks `engines` until its cache has a link to the project.
      { cwd: root, env: { ...process.env, PATH: PATH?.join(":"), npm_config_cache: join(folder, "npm") } },
    );
    expect(stderr).toBe("");
    expect(stdout).toMatch(/^config\/embedded\.yaml is valid: sources global, active, killed, user;/);
  });

  it("reads a secret from standard input, and does not wait for its end", async () => {
    const child = spawn(process.execPath, ["src/cli.ts", "tokens", "add", "--user", "7"], {
      cwd: root,
      env: { ...process.env, ...env },
    });
    child.stdin.write("s3cret\n");
    const [code] = await once(child, "exit");
    expect(code).toBe(0);
    expect((await tidegate(["evaluate", "--token"], env, "s3cret")).code).toBe(0);
  });

  it.each([
    ["explain", /^feature_0: on/],
    ["export", /^\{"tidegate":1,/],
  ])("exits 0 if the reader of its output leaves: %s", async (command, first) => {
    const { stdout, stderr } = await shell(`{ tidegate ${command}; echo "code $?" >&2; } | head -1`);
    expect([stdout, stderr]).toEqual([expect.stringMatching(first), "code 0\n"]);
  });

  it.runIf(existsSync("/dev/full"))("exits 1 if its output cannot be written", async () => {
    const { stderr } = await shell('tidegate sources kinds > /dev/full || echo "code $?" >&2');
    expect(stderr).toMatch(/^tidegate: cannot write to standard output: ENOSPC.*\ncode 1\n$/);
  });
});
