import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { kinds } from "../src/adapters/source-catalogue.ts";
import { Load } from "./support/load.ts";
import { TestProcess } from "./support/process.ts";
import { startRedis } from "./support/redis.ts";
import { TcpProxy } from "./support/tcp-proxy.ts";
import { until } from "./support/until.ts";

const folder = mkdtempSync(join(tmpdir(), "tidegate-reload-"));
afterAll(() => rmSync(folder, { recursive: true }));

const rules = (feature: string, rest = "") =>
  `${rest}\nsources: [{ name: a, kind: static, features: { ${feature}: true } }]\n`;
const answer = (feature: string) => `{"active_features":["${feature}"]}`;
let files = 0;

/** A service on a file of its own; `put` writes the file and asks for it to be loaded. */
function serve(yaml: string, workers: number, env: NodeJS.ProcessEnv = {}) {
  files += 1;
  const file = join(folder, `${files}.yaml`);
  writeFileSync(file, yaml);
  const settings = { TIDEGATE_CONFIG: file, PORT: "0", HOST: "127.0.0.1", WEB_CONCURRENCY: `${workers}` };
  const service = new TestProcess(["src/main.ts"], { ...settings, ...env });
  const lines = (sentence: string): Record<string, unknown>[] =>
    service.stderr
      .split("\n")
      .filter((line) => line.includes(`"msg":"${sentence}"`))
      .map((line) => JSON.parse(line));
  const put = (text: string) => {
    writeFileSync(file, text);
    service.signal("SIGHUP");
  };
  const loaded = () => lines("configuration loaded anew");
  const refused = () => lines("configuration refused; the one before stays");
  return { service, file, put, lines, loaded, refused, [Symbol.asyncDispose]: () => service[Symbol.asyncDispose]() };
}

const ask = async (url: string): Promise<string> => (await fetch(`${url}/features`)).text();

describe.each([1, 3])("SIGHUP to a service of %i process(es)", (workers) => {
  it("makes it serve what the file says, and no call is lost or answered by the old rules after the new", async () => {
    await using running = serve(rules("f0"), workers);
    const url = await running.service.url();
    const load = new Load(url, 6, 2);
    const expected = ["f0", "f1", "f2", "f3"].map(answer);
    for (const [round, body] of expected.entries()) {
      if (round > 0) running.put(rules(`f${round}`));
      await until(() => load.latest.every((latest) => latest === body), `all are answered ${body}`);
    }
    await load[Symbol.asyncDispose]();
    for (const bodies of load.answers) expect([...new Set(bodies)]).toEqual(expected);
    for (const kept of load.answers.slice(0, 6)) {
      if (workers === 1) expect(kept).toEqual(kept.toSorted());
    }
    await until(() => running.loaded().length === 3, "all loads are logged");
    expect(running.loaded()[2]).toMatchObject({ config: running.file, sources: ["a (static, grant)"] });
    expect(running.refused()).toEqual([]);
    running.service.signal("SIGTERM");
    expect(await running.service.exit()).toBe(0);
  });

  it("refuses a file with mistakes, names them all, and serves what it served before", async () => {
    await using running = serve(rules("before"), workers);
    const url = await running.service.url();
    running.put(readFileSync("test/broken/many-mistakes.yaml", "utf8"));
    await until(() => running.refused().length === 1, "it is refused");
    const said = readFileSync("test/broken/many-mistakes.txt", "utf8")
      .replaceAll("test/broken/many-mistakes.yaml", running.file)
      .replaceAll("KINDS", kinds.join(", "));
    expect(running.refused()[0]?.["problems"]).toEqual(
      said
        .trimEnd()
        .split("\n")
        .slice(1)
        .map((line) => line.trim()),
    );
    expect(await ask(url)).toBe(answer("before"));
    running.put(rules("half", "").slice(0, -8));
    await until(() => running.refused().length === 2, "half a file is refused");
    rmSync(running.file);
    running.service.signal("SIGHUP");
    await until(() => running.refused().length === 3, "a file that is gone is refused");
    expect(running.refused()[2]?.["problems"]).toEqual([expect.stringMatching(/cannot be read: ENOENT/)]);
    expect(await ask(url)).toBe(answer("before"));
    running.put(rules("after"));
    await until(async () => (await ask(url)) === answer("after"), "the file is loaded once it is right");
  });

  it("refuses another address or number of processes, and takes nothing else of that file", async () => {
    await using running = serve(rules("before", "server: { port: 0, drainMs: 1 }"), workers, { PORT: "" });
    const url = await running.service.url();
    running.put(rules("after", "server: { port: 6000, workers: auto }"));
    await until(() => running.refused().length === 1, "it is refused");
    expect(running.refused()[0]?.["problems"]).toEqual([
      `${running.file}:1:17 server.port: is 0 for as long as it runs; set it back, or start it anew`,
    ]);
    expect(await ask(url)).toBe(answer("before"));
  });

  it("refuses rules that could not be served: a store is not there, a source cannot be made", async () => {
    await using running = serve(rules("before"), workers, { TIDEGATE_SOURCE_FOLDERS: folder });
    const url = await running.service.url();
    running.put(`
connections: { features: { kind: redis, url: "redis://127.0.0.1:1" } }
sources: [{ name: a, kind: set, connection: features, key: x }]
`);
    await until(() => running.refused().length === 1, "it is refused");
    expect(running.refused()[0]?.["problems"]).toEqual([
      'the connection "features" does not answer; start what it reads, or mend its entry',
      'the source "a" does not answer; start what it reads, or mend its entry',
    ]);
    writeFileSync(
      join(folder, "broken.js"),
      `export const source = {
        summary: "", options: ({ z }) => z.strictObject({}), example: {},
        create: () => { throw new Error("no luck"); },
      };`,
    );
    running.put("sources: [{ name: a, kind: ./broken.js }]");
    await until(() => running.refused().length === 2, "it is refused");
    expect(running.refused()[1]?.["problems"]).toEqual([
      'the source "a" (./broken.js) cannot be made: no luck; mend its options or its file',
    ]);
    expect(await ask(url)).toBe(answer("before"));
  });

  it("ends with the last file when it comes twice, and to all processes at once", async () => {
    await using running = serve(rules("f0"), workers);
    const url = await running.service.url();
    for (const feature of ["f1", "f2", "f3", "f4"]) {
      writeFileSync(running.file, rules(feature));
      running.service.signalGroup("SIGHUP");
    }
    const all = async () => Promise.all(Array.from({ length: 9 }, () => ask(url)));
    await until(async () => (await all()).every((body) => body === answer("f4")), "all serve the last file");
    expect(running.lines("started")).toHaveLength(workers);
  });

  it("does not keep it from stopping", async () => {
    await using running = serve(rules("f0"), workers);
    await running.service.url();
    running.put(rules("f1"));
    running.service.signal("SIGTERM");
    expect(await running.service.exit()).toBe(0);
    expect(running.lines("stopped")).toHaveLength(workers);
  });
});

describe("SIGHUP", () => {
  it("lets calls under way end as they began, and then closes what they were answered by", async () => {
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
            [Symbol.asyncDispose]: async () => {
              closed = true;
              warn({}, "closed");
            },
          };
        },
      };`,
    );
    writeFileSync(go, "");
    const slow = "sources: [{ name: a, kind: ./slow.js, timeoutMs: 10000 }]";
    await using running = serve(slow, 1, { TIDEGATE_SOURCE_FOLDERS: folder });
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

describe("a worker that is replaced", () => {
  it("serves the configuration that was accepted, whatever stands in the file", async () => {
    await using running = serve(rules("before"), 2);
    const url = await running.service.url();
    running.put(rules("accepted"));
    await until(() => running.loaded().length === 1, "it is loaded");
    running.put("nonsense");
    await until(() => running.refused().length === 1, "it is refused");
    const [one, another] = running.lines("started");
    process.kill(Number(one?.["pid"]), "SIGKILL");
    await until(() => running.lines("started").length === 3, "it is replaced");
    process.kill(Number(another?.["pid"]), "SIGKILL");
    await until(() => running.lines("started").length === 4, "the other is replaced too");
    const bodies = await Promise.all(Array.from({ length: 6 }, () => ask(url)));
    expect(new Set(bodies)).toEqual(new Set([answer("accepted")]));
  });

  it("takes no connections before it is ready, while others answer what they remember of a store that is away", async () => {
    await using redis = await startRedis();
    await using proxy = await TcpProxy.to(redis.port);
    await redis.client.sadd("global", "x");
    await using running = serve(
      `
connections: { features: { kind: redis, url: "redis://127.0.0.1:${proxy.port}" } }
sources: [{ name: a, kind: set, connection: features, key: global }]
`,
      2,
    );
    const url = await running.service.url();
    proxy.cut();
    process.kill(Number(running.lines("started")[0]?.["pid"]), "SIGKILL");
    const waits = () => running.lines("not ready; the other workers serve until it is").length === 1;
    await until(waits, "another worker waits for the store");
    const bodies = await Promise.all(Array.from({ length: 20 }, () => ask(url)));
    expect(new Set(bodies)).toEqual(new Set([answer("x")]));
    proxy.heal();
    await until(() => running.lines("started").length === 3, "it serves once the store is back");
  });

  it("gives way to another, with no call lost, where it cannot follow to what one of them has accepted", async () => {
    const lock = join(folder, "lock");
    writeFileSync(
      join(folder, "once.js"),
      `import { mkdirSync } from "node:fs";
      export const source = {
        summary: "", options: ({ z }) => z.strictObject({}), example: {},
        create: () => {
          mkdirSync(${JSON.stringify(lock)});
          return { resolve: () => ({ features: new Map([["once", { on: true, value: true, reason: "STATIC" }]]) }) };
        },
      };`,
    );
    await using running = serve(rules("before"), 2, { TIDEGATE_SOURCE_FOLDERS: folder });
    const url = await running.service.url();
    await using load = new Load(url, 4, 2);
    running.put("sources: [{ name: a, kind: ./once.js }]");
    await until(() => running.lines("a worker died; starting another").length > 0, "one could not follow");
    rmSync(lock, { recursive: true });
    await until(() => running.lines("started").length === 3, "another follows");
    await load[Symbol.asyncDispose]();
    const bodies = await Promise.all(Array.from({ length: 6 }, () => ask(url)));
    expect([answer("before"), answer("once")]).toEqual(expect.arrayContaining([...new Set(load.answers.flat())]));
    expect(new Set(bodies)).toEqual(new Set([answer("once")]));
  });
});

const hasPython = spawnSync("python3", ["--version"]).status === 0;

describe("a terminal that is closed", () => {
  it.skipIf(!hasPython && !process.env["CI"]).each([1, 2])(
    "ends a service of %i process(es) in order, although SIGHUP loaded the file before (needs python3)",
    (workers) => {
      const file = join(folder, `terminal-${workers}.yaml`);
      writeFileSync(file, rules("f0"));
      const { stdout, stderr } = spawnSync("python3", ["-c", inTerminal, process.execPath], {
        env: { PATH: process.env["PATH"], TIDEGATE_CONFIG: file, PORT: "0", WEB_CONCURRENCY: `${workers}` },
        encoding: "utf8",
        timeout: 40_000,
      });
      expect([stdout, stderr]).toEqual(["exit code 0\n", ""]);
    },
  );
});

/** Runs the service in a terminal of its own, sends SIGHUP, and closes the terminal once the file is loaded. */
const inTerminal = `
import os, pty, signal, sys

pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], [sys.argv[1], "src/main.ts"])
shown = b""
def wait_for(text):
    global shown
    while text not in shown:
        shown += os.read(terminal, 4096)
wait_for(b"serves at")
os.kill(pid, signal.SIGHUP)
wait_for(b"configuration loaded anew")
os.close(terminal)
print("exit code", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`;
