import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { kinds } from "../../../src/adapters/sources/_catalogue/source-catalogue.ts";
import { Load } from "../../support/load.ts";
import { answer, ask, rules, serve } from "../../support/reloadable.ts";
import { bearer } from "../../support/service.ts";
import { until } from "../../support/until.ts";

const folder = mkdtempSync(join(tmpdir(), "tidegate-reload-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe.each([1, 2])("SIGHUP to a service of %i process(es)", (workers) => {
  const fixed = "server: { port: 0, drainMs: 1 }";
  const one = (feature: string, rest = "") => rules(feature, `${fixed}\n${rest}`);
  let running: ReturnType<typeof serve>;
  let url: string;
  /** The numbers of configurations that were loaded and rejected before a test. */
  let loads = 0;
  let refusals = 0;
  beforeEach(async () => {
    if (!running || running.service.ended) {
      const env = { PORT: "", TIDEGATE_SOURCE_FOLDERS: folder, TIDEGATE_ADMIN_TOKEN: "the-operators-credential" };
      running = serve(folder, one("f0"), workers, env);
      url = await running.service.url();
    } else {
      running.put(one("f0"));
      await until(async () => (await all()).every((body) => body === answer("f0")), "all serve the first file");
    }
    [loads, refusals] = [running.loaded().length, running.refused().length];
  });
  afterAll(() => running[Symbol.asyncDispose]());

  const all = async () => Promise.all(Array.from({ length: 9 }, () => ask(url)));

  it("loads the file without losing a request or returning results of the old rules after the new", async () => {
    const load = new Load(url, 6, 2);
    const expected = ["f0", "f1", "f2", "f3"].map(answer);
    for (const [round, body] of expected.entries()) {
      if (round > 0) running.put(one(`f${round}`));
      await until(() => load.latest.every((latest) => latest === body), `all are answered ${body}`);
    }
    await load[Symbol.asyncDispose]();
    for (const bodies of load.answers) expect([...new Set(bodies)]).toEqual(expected);
    for (const kept of load.answers.slice(0, 6)) {
      if (workers === 1) expect(kept).toEqual(kept.toSorted());
    }
    await until(() => running.loaded().length === loads + 3, "all loads are logged");
    expect(running.loaded().at(-1)).toMatchObject({ config: running.file, sources: ["a (static, grant)"] });
    expect(running.refused()).toHaveLength(refusals);

    for (const feature of ["f4", "f5", "f6", "f7"]) {
      writeFileSync(running.file, one(feature));
      running.service.signalGroup("SIGHUP");
    }
    await until(async () => (await all()).every((body) => body === answer("f7")), "all serve the last file");
    expect(running.lines("started")).toHaveLength(workers);
  });

  it("is replaced by POST /admin/v1/config/reload, with a dry run and the problems of an invalid file", async () => {
    const reload = async (query = "") => {
      const headers = bearer("the-operators-credential");
      const response = await fetch(`${url}/admin/v1/config/reload${query}`, { method: "POST", headers });
      return [response.status, await response.json()] as const;
    };
    const put = (text: string) => writeFileSync(running.file, text);
    const unchanged = { sections: [], sources: { added: [], removed: [], changed: [], reordered: false } };
    expect(await reload("?dryRun=true")).toEqual([200, { dryRun: true, changes: unchanged }]);

    put(one("f1", "cache: { capacity: 7 }").replace("]", ", { name: b, kind: static, features: { f9: true } }]"));
    const changes = {
      sections: ["cache"],
      sources: { added: ["b"], removed: [], changed: ["a"], reordered: false },
    };
    expect(await reload("?dryRun=true")).toEqual([200, { dryRun: true, changes }]);
    expect(new Set(await all())).toEqual(new Set([answer("f0")]));
    expect(await reload()).toEqual([200, { dryRun: false, changes }]);
    const isServed = async () => (await all()).every((body) => body === '{"active_features":["f1","f9"]}');
    await until(isServed, "all workers serve the file");

    put("sources: []");
    const [status, problem] = await reload();
    expect([status, problem]).toEqual([
      422,
      expect.objectContaining({
        code: "configuration-rejected",
        errors: [{ pointer: "", detail: expect.stringContaining(`${running.file}:1:`) }],
      }),
    ]);
    expect(await isServed()).toBe(true);
    expect(running.refused()).toHaveLength(refusals + 1);
    expect((await reload("?dryRun=true"))[0]).toBe(422);
    expect(running.refused()).toHaveLength(refusals + 1);
  });

  it("rejects an invalid file, names its faults, and keeps the previous rules", async () => {
    const refuses = async (change: () => void, ...problems: readonly unknown[]) => {
      change();
      refusals += 1;
      await until(() => running.refused().length === refusals, `it refuses ${problems}`);
      expect(running.refused().at(-1)?.["problems"]).toEqual(problems);
      expect(await ask(url)).toBe(answer("f0"));
    };
    const said = readFileSync("test/broken/many-mistakes.txt", "utf8")
      .replaceAll("test/broken/many-mistakes.yaml", running.file)
      .replaceAll("KINDS", kinds.join(", "))
      .trimEnd()
      .split("\n")
      .slice(1)
      .map((line) => line.trim());
    await refuses(() => running.put(readFileSync("test/broken/many-mistakes.yaml", "utf8")), ...said);
    const half = Array.from({ length: 3 }, () => expect.stringContaining("not valid YAML"));
    await refuses(() => running.put(rules("half", "").slice(0, -8)), ...half);
    await refuses(
      () => {
        rmSync(running.file);
        running.service.signal("SIGHUP");
      },
      expect.stringMatching(/cannot be read: ENOENT/),
    );
    await refuses(
      () => running.put(rules("after", "server: { port: 6000, workers: auto }")),
      `${running.file}:1:17 server.port: cannot change from 0 without a restart`,
    );
    await refuses(
      () =>
        running.put(`
${fixed}
connections: { features: { kind: redis, url: "redis://127.0.0.1:1" } }
sources: [{ name: a, kind: set, connection: features, key: x }]
`),
      'connection "features" is unavailable; start it, or fix its configuration',
      'source "a" is unavailable; start it, or fix its configuration',
    );
    writeFileSync(
      join(folder, "broken.js"),
      `export const source = {
        summary: "", options: ({ z }) => z.strictObject({}), example: {},
        create: () => { throw new Error("no luck"); },
      };`,
    );
    await refuses(
      () => running.put(`${fixed}\nsources: [{ name: a, kind: ./broken.js }]`),
      'cannot create source "a" (./broken.js): no luck; fix its options or its file',
    );
    running.put(one("after"));
    await until(async () => (await ask(url)) === answer("after"), "the file is loaded once it is right");
  });

  it("can stop while it loads a file", async () => {
    running.put(one("f8"));
    running.service.signal("SIGTERM");
    expect(await running.service.exit()).toBe(0);
    expect(running.lines("stopped")).toHaveLength(workers);
  });
});

describe("SIGHUP", () => {
  it("completes requests with the rules at their start, then closes those rules", async () => {
    const go = join(folder, "go");
    writeFileSync(
      join(folder, "slow.js"),
      `import { existsSync } from "node:fs";
      import { setTimeout } from "node:timers/promises";
      export const source = {
        summary: "", options: ({ z }) => z.strictObject({}), example: {},
        create: (_, { warn }) => {
          let closed = false;
          return {
            resolve: async ({ locations }) => {
              // Readiness is asked about without a location.
              if (locations?.length) warn({}, "asked");
              while (!existsSync(${JSON.stringify(go)})) await setTimeout(5);
              if (closed) throw new Error("it is closed");
              return { features: new Map([["slow", { on: true, value: true, reason: "STATIC" }]]) };
            },
            dispose: async () => {
              closed = true;
              warn({}, "closed");
            },
          };
        },
      };`,
    );
    writeFileSync(go, "");
    const slow = "sources: [{ name: a, kind: ./slow.js, timeoutMs: 10000 }]";
    await using running = serve(folder, slow, 1, { TIDEGATE_SOURCE_FOLDERS: folder });
    const url = await running.service.url();
    rmSync(go);
    const call = fetch(`${url}/features?location=here`);
    await until(() => running.lines("asked").length > 0, "the call is under way");
    running.put(rules("after"));
    await until(() => running.loaded().length === 1, "the file is loaded");
    expect(await ask(url)).toBe(answer("after"));
    expect(running.lines("closed")).toEqual([]);
    writeFileSync(go, "");
    expect(await (await call).text()).toBe(answer("slow"));
    await until(() => running.lines("closed").length === 1, "what answered before is closed");
  });
});
