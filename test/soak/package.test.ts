import { execFile } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import packageJson from "../../package.json" with { type: "json" };
import { leastOfThree } from "../support/least-of-three.ts";
import { isAllowedLicence } from "../support/licences.ts";
import { startRedis } from "../support/redis.ts";
import { expectSmokeData, type Installed, run, serve, smoke } from "../support/smoke.ts";
import { until } from "../support/until.ts";

const root = resolve(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "tidegate-package-"));
afterAll(() => rmSync(folder, { recursive: true }));

const bin = join(root, "node_modules/.bin");
const execute = promisify(execFile);
/** An installed command gets nothing of this environment, such as TIDEGATE_CONFIG. */
const bare = { PATH: `${bin}:${process.env["PATH"]}`, HOME: folder };
/** The compile cache halves the time of a start. */
const base = { ...bare, NODE_COMPILE_CACHE: join(folder, "compiled") };
/** Runs npm with this environment: its registry, certificates, proxy and cache. */
const npm = (cwd: string, ...args: string[]) => execute("npm", args, { cwd });

describe("the end-to-end check", () => {
  it("passes from the sources", async () => {
    const data = join(folder, "clone-data");
    const command = join(root, "bin/tidegate.cjs");
    await smoke({ command, data, env: { ...base, TIDEGATE_DATA: data } });
  });
});

describe("the npm package", () => {
  const project = join(folder, "project");
  const command = join(project, "node_modules/.bin/tidegate");
  const installed: Installed = {
    command,
    data: join(folder, "xdg/tidegate"),
    env: { ...base, XDG_DATA_HOME: join(folder, "xdg") },
  };
  const packageFolder = join(project, "node_modules/tidegate");
  const readOwn = (file: string) => readFileSync(join(packageFolder, file), "utf8");
  /** The files of the package, without those of its dependencies. */
  const ownFiles = () =>
    readdirSync(packageFolder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(packageFolder, join(entry.parentPath, entry.name)))
      .sort();
  let first: string;
  let output: { stdout: string; stderr: string };

  /** Packs the build as a version; returns the file. */
  async function pack(version: string): Promise<string> {
    const manifest = join(root, "dist/package.json");
    writeFileSync(manifest, JSON.stringify({ ...JSON.parse(readFileSync(manifest, "utf8")), version }));
    const { stdout } = await npm(join(root, "dist"), "pack", "--pack-destination", folder, "--loglevel=error");
    return join(folder, stdout.trim());
  }
  /** Gives data the file names of version 0.1, which wrote no version into them. */
  function asOfVersion01(data: string): void {
    for (const name of ["tidegate.db", "events.db"]) {
      using database = new DatabaseSync(join(data, name));
      database.exec("PRAGMA user_version = 0");
    }
    renameSync(join(data, "events.db"), join(data, "activity.db"));
  }
  // The files that `npm ci` fetched for the clone come from the cache.
  const install = (file: string) => npm(project, "install", "--prefer-offline", "--no-fund", "--no-audit", file);

  beforeAll(async () => {
    await execute(process.execPath, [join(root, "scripts/build-package.ts")], { env: base });
    mkdirSync(project);
    writeFileSync(join(project, "package.json"), "{}");
    first = await pack(packageJson.version);
    output = await install(first);
  }, 300_000);

  it("installs without a warning, without scripts, and without another Node.js", () => {
    expect(output.stderr).toBe("");
    expect(output.stdout).not.toMatch(/warn|deprecated/i);
    const { packages } = JSON.parse(readFileSync(join(project, "node_modules/.package-lock.json"), "utf8"));
    const scripted = Object.entries<{ hasInstallScript?: true }>(packages).filter(
      ([, entry]) => entry.hasInstallScript,
    );
    expect(scripted).toEqual([]);
    expect(readdirSync(join(project, "node_modules/.bin"))).not.toContain("node");
  });

  it("takes at most 60 MB of disk, and contains neither tests nor TypeScript", async () => {
    const { stdout } = await execute("du", ["-sm", join(project, "node_modules")]);
    expect(Number.parseInt(stdout, 10)).toBeLessThanOrEqual(60);
    expect(ownFiles().filter((file) => /(?<!\.d)\.ts$|\.test\.|\.map$|tsbuildinfo/.test(file))).toEqual([]);
  });

  it("contains the licence of each part that it redistributes", () => {
    const parts = { page: "backoffice/dist/licenses.txt", unleash: "node_modules/unleash-client/LICENSES.md" };
    const texts = ownFiles().filter((file) => /(^|\/)LICENSES\.md$|\/licenses\.txt$/.test(file));
    expect(texts).toEqual(expect.arrayContaining(Object.values(parts)));
    const listed = texts.flatMap((file) => [...readOwn(file).matchAll(/^## (\S+) - \S+ \((.+)\)$/gm)]);
    expect(listed.filter(([, , licence = ""]) => !isAllowedLicence(licence)).map(([line]) => line)).toEqual([]);
    for (const name of ["react", "react-dom", "@mantine/core", "uplot", "@tanstack/react-query", "lucide-react"]) {
      expect(readOwn(parts.page)).toContain(`\n## ${name} - `);
    }
    expect(readOwn(parts.unleash)).toContain("\n## make-fetch-happen - ");
    expect(readOwn("backoffice/dist/inter-license.txt")).toContain("SIL OPEN FONT LICENSE");
    expect(readOwn("swagger-ui/LICENSE")).toContain("Apache License");
    expect(readOwn("swagger-ui/swagger-ui-bundle.js.LICENSE.txt")).toContain("MIT");
    expect(readOwn("geoip/NRO_LICENSE")).toContain("attribution to nro.net");
    // The notice names the file of each licence.
    for (const [, file = ""] of readOwn("NOTICE").matchAll(/^ {2}(\S+)$/gm)) expect(ownFiles()).toContain(file);
  });

  it("contains each page that its README links to", () => {
    const links = [...readOwn("README.md").matchAll(/\]\(([^)#]+)[^)]*\)/g)].map(([, link = ""]) => link);
    const local = links.filter((link) => !/^https?:/.test(link));
    expect(local.length).toBeGreaterThan(10);
    expect(local.filter((link) => !existsSync(join(packageFolder, link)))).toEqual([]);
  });

  it("passes the end-to-end check, and keeps data of 0.1 over an upgrade", async () => {
    // A repeated test finds the upgrade of its first run.
    if ((await run(installed, "--version")) !== `${packageJson.version}\n`) await install(first);
    const before = ownFiles();
    await smoke(installed);
    expect(ownFiles()).toEqual(before);
    asOfVersion01(installed.data);
    await install(await pack("999.0.0"));
    expect(await run(installed, "--version")).toBe("999.0.0\n");
    await expectSmokeData(installed);
    expect(readdirSync(installed.data)).toContain("events.db");
    expect(readdirSync(installed.data)).not.toContain("activity.db");
  });

  it("contains the database of countries", async () => {
    const file = join(folder, "countries.yaml");
    writeFileSync(
      file,
      "locators: [{ kind: geoip }]\nsources: [{ name: on, kind: static, features: { siesta: true } }]\n",
    );
    const explained = await run(installed, "--config", file, "--json", "explain", "--ip", "212.128.0.1", "siesta");
    expect(JSON.parse(explained)).toMatchObject({ location: "es", locatedBy: "geoip" });
  });

  it("runs on Redis", async () => {
    await using redis = await startRedis();
    const urls = { REDIS_USERS_URL: redis.url, REDIS_FEATURES_URL: redis.url };
    const onRedis = { ...installed, env: { ...installed.env, ...urls, HOST: "127.0.0.1", WEB_CONCURRENCY: "2" } };
    await using service = serve(onRedis);
    const url = await service.url();
    await run(onRedis, "demo");
    expect(await redis.client.smembers("active_features")).toEqual(["feature_3"]);
    const isServed = async () => /feature_2/.test(await (await fetch(`${url}/features`)).text());
    await until(isServed, "the change is served");
  });

  it("prints its version with at most 0.25 s more processor time than Node.js takes to start", async () => {
    // Compiled code is kept for the user, not in the package. Each measured start has none.
    const cache = join(folder, ".cache/tidegate");
    // Processor time, because other work on the machine delays both.
    const report = "process.on('exit', () => console.error(process.cpuUsage().user + process.cpuUsage().system))";
    const usedMs = async (...args: string[]) => {
      rmSync(cache, { recursive: true, force: true });
      const options = ["--import", `data:text/javascript,${encodeURIComponent(report)}`];
      const { stderr } = await execute(process.execPath, [...options, ...args], { env: bare });
      return Number(stderr) / 1_000;
    };
    const startMs = await leastOfThree(() => usedMs("-e", "0"));
    expect((await leastOfThree(() => usedMs(command, "--version"))) - startMs).toBeLessThan(250);
    expect(existsSync(cache)).toBe(true);
  });

  it("runs without a cache folder where none can be made", async () => {
    for (const cache of ["/proc/none", "/dev/null", join(packageFolder, "package.json")]) {
      const options = { env: { ...bare, XDG_CACHE_HOME: cache }, timeout: 60_000 };
      const { stdout, stderr } = await execute(process.execPath, [command, "--version"], options);
      expect([stdout, stderr]).toEqual([await run(installed, "--version"), ""]);
    }
  });

  it("runs an own kind of source, with types for its author", async () => {
    const inProject = { cwd: project, env: installed.env };
    rmSync(join(project, "sources"), { recursive: true, force: true });
    const { stdout } = await execute(process.execPath, [command, "sources", "new", "weekend"], inProject);
    expect(stdout).toMatch(/^wrote sources\/weekend\.mjs\nwrote sources\/weekend\.test\.mjs\n/);
    await execute(process.execPath, ["--test", "sources/weekend.test.mjs"], inProject);
    const types = [
      "--noEmit",
      "--allowJs",
      "--checkJs",
      "--strict",
      "--noImplicitAny",
      "false",
      "--skipLibCheck",
      "--module",
      "nodenext",
    ];
    await execute(join(bin, "tsc"), [...types, "--target", "esnext", "sources/weekend.mjs"], inProject);
    const config = join(project, "tidegate.yaml");
    writeFileSync(config, "sources: [{ name: weekend, kind: ./sources/weekend.mjs, features: [brunch] }]");
    const own = { ...installed.env, TIDEGATE_CONFIG: config, TIDEGATE_SOURCE_FOLDERS: join(project, "sources") };
    await using service = serve({ ...installed, env: own });
    expect(await (await fetch(`${await service.url()}/features`)).json()).toEqual({ active_features: ["brunch"] });
  });

  it("contains the types that a source in TypeScript imports, and those of the API for Hono's client", async () => {
    const source = `import { defineSource, type EvaluationContext, type SourceResult } from "tidegate";
      export const source = defineSource({
        summary: "On.", options: ({ z }) => z.strictObject({ least: z.int() }), example: { least: 1 },
        create: ({ least }) => ({ resolve: ({ at }: EvaluationContext): SourceResult => ({
          features: new Map([["late", { on: at > least, value: true, reason: "STATIC" }]]), validUntil: at + 1_000 }) }),
      });
      // @ts-expect-error: an option that the schema does not have.
      source.create({ most: 1 });`;
    const client = `import { hc } from "hono/client";
      import type { Api } from "tidegate/api";
      const response = await hc<Api>("http://localhost").admin.v1.killed.$get();
      if (response.status === 200) (await response.json()).features satisfies readonly string[];
      // @ts-expect-error: a path that the service does not have.
      await hc<Api>("http://localhost").admin.v1.kills.$get();
      export {};`;
    writeFileSync(join(project, "own.ts"), source);
    writeFileSync(join(project, "client.mts"), client);
    const types = ["--noEmit", "--strict", "--module", "nodenext", "--target", "esnext"];
    const typeRoots = ["--types", "node", "--typeRoots", join(root, "node_modules/@types")];
    // Several threads infer the types of the API anew, which takes twice the processor time.
    const options = [...types, ...typeRoots, "--singleThreaded"];
    await execute(join(bin, "tsc"), [...options, "own.ts", "client.mts"], { cwd: project });
  });
});
