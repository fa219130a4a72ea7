import { execFile } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "vitest";
import { TestProcess } from "./process.ts";
import { basic, bearer } from "./service.ts";

/** An installed Tidegate: the file of the command `tidegate`, and its data folder. */
export type Installed = { readonly command: string; readonly data: string; readonly env: NodeJS.ProcessEnv };

/** Runs a command of an installation in a process of its own; returns its standard output. */
export async function run({ command, env }: Installed, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [command, ...args], { env });
  return stdout;
}

/** Starts the service of an installation on a free port. */
export const serve = ({ command, env }: Installed): TestProcess =>
  new TestProcess([command, "serve"], { TIDEGATE_DATA: "", PORT: "0", ...env });

const features = async (url: string, headers: Record<string, string> = {}) =>
  ((await (await fetch(`${url}/features`, { headers })).json()) as { active_features: string[] }).active_features;

/** The end-to-end check of an installation: empties its data folder, then start, demo, evaluate, explain, kill, restart. */
export async function smoke(installed: Installed): Promise<void> {
  rmSync(installed.data, { recursive: true, force: true });
  {
    await using service = serve(installed);
    const url = await service.url();
    expect(await run(installed, "demo")).toMatch(/^global_features: feature_1, feature_2\n/);
    // Commands are other processes, whose changes the service learns of a moment later.
    await expect.poll(() => features(url, basic("1234"))).toEqual(["feature_1", "feature_2", "feature_3"]);
    const [evaluated, explained] = await Promise.all([
      run(installed, "evaluate", "--user", "1"),
      run(installed, "explain", "feature_3", "--user", "1"),
    ]);
    expect(evaluated).toBe("feature_1\nfeature_2\nfeature_3\n");
    expect(explained).toMatch(/^feature_3: on/);
    await run(installed, "features", "kill", "feature_1");
    await expect.poll(() => features(url)).toEqual(["feature_2"]);
    await expectPages(url);
    const operator = bearer(readFileSync(join(installed.data, "admin-token"), "utf8").trim());
    expect((await fetch(`${url}/metrics`, { headers: operator })).status).toBe(200);
    expect(await run(withPort(installed, url), "health", "--ready")).toBe("ready\n");
    // A crash, not an orderly stop.
    service.signal("SIGKILL");
    expect(await service.exit()).toBe(-1);
  }
  await expectSmokeData(installed);
}

/** Restarts an installation after `smoke`, and expects its data. */
export async function expectSmokeData(installed: Installed): Promise<void> {
  await using service = serve(installed);
  const url = await service.url();
  expect(await features(url)).toEqual(["feature_2"]);
  expect(await features(url, basic("1234"))).toEqual(["feature_2", "feature_3"]);
  const [verified, explained] = await Promise.all([
    run(installed, "events", "verify"),
    run(installed, "explain", "feature_1"),
  ]);
  expect(verified).toMatch(/^verified up to event \d+/);
  expect(explained).toMatch(/^feature_1: off/);
  service.signal("SIGTERM");
  expect(await service.exit()).toBe(0);
}

/** The API page, with the files that it loads. */
async function expectPages(url: string): Promise<void> {
  const page = await (await fetch(`${url}/docs`)).text();
  const assets = [...page.matchAll(/(?:href|src)="(docs\/[^"]+)"/g)].map(([, path]) => path);
  expect(assets.length).toBeGreaterThan(2);
  for (const path of ["openapi.json", ...assets]) expect((await fetch(`${url}/${path}`)).status, path).toBe(200);
}

const withPort = (installed: Installed, url: string): Installed => ({
  ...installed,
  env: { ...installed.env, PORT: new URL(url).port },
});
