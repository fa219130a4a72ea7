import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { Load } from "../../support/load.ts";
import { startRedis } from "../../support/redis.ts";
import { answer, ask, rules, serve } from "../../support/reloadable.ts";
import { TcpProxy } from "../../support/tcp-proxy.ts";
import { until } from "../../support/until.ts";

const folder = mkdtempSync(join(tmpdir(), "tidegate-replaced-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("a replaced worker", () => {
  it("serves the accepted configuration, and is replaced if it cannot load a new one", async () => {
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
    await using running = serve(folder, rules("before"), 2, { TIDEGATE_SOURCE_FOLDERS: folder });
    const url = await running.service.url();
    // Long enough for a caller that waits for a processor.
    running.put(rules("accepted", "server: { drainMs: 2000 }"));
    await until(() => running.loaded().length === 1, "it is loaded");
    running.put("nonsense");
    await until(() => running.refused().length === 1, "it is rejected");
    const [one, another] = running.lines("started");
    process.kill(Number(one?.["pid"]), "SIGKILL");
    await until(() => running.lines("started").length === 3, "it is replaced");
    process.kill(Number(another?.["pid"]), "SIGKILL");
    await until(() => running.lines("started").length === 4, "the other is replaced too");
    const bodies = async () => new Set(await Promise.all(Array.from({ length: 6 }, () => ask(url))));
    expect(await bodies()).toEqual(new Set([answer("accepted")]));

    // The first worker creates the folder, so the second fails to.
    await using load = new Load(url, 4, 2);
    running.put("sources: [{ name: a, kind: ./once.js }]");
    await until(
      () => running.lines("worker exited unexpectedly; starting another").length === 3,
      "one could not follow",
    );
    rmSync(lock, { recursive: true });
    await until(() => running.lines("started").length === 5, "another follows");
    await load[Symbol.asyncDispose]();
    expect([answer("accepted"), answer("once")]).toEqual(expect.arrayContaining([...new Set(load.answers.flat())]));
    expect(await bodies()).toEqual(new Set([answer("once")]));
  });

  it("accepts no connections before it is ready, while others serve from the cache during an outage", async () => {
    await using redis = await startRedis();
    await using proxy = await TcpProxy.to(redis.port);
    await redis.client.sadd("global", "x");
    await using running = serve(
      folder,
      `
connections: { features: { kind: redis, url: "redis://127.0.0.1:${proxy.port}" } }
sources: [{ name: a, kind: set, connection: features, key: global }]
`,
      2,
    );
    const url = await running.service.url();
    proxy.cut();
    process.kill(Number(running.lines("started")[0]?.["pid"]), "SIGKILL");
    const waits = () => running.lines("not ready; the other workers serve meanwhile").length === 1;
    await until(waits, "another worker waits for the store");
    const bodies = await Promise.all(Array.from({ length: 20 }, () => ask(url)));
    expect(new Set(bodies)).toEqual(new Set([answer("x")]));
    const states = Array.from({ length: 6 }, async () => (await fetch(`${url}/health/ready`)).json());
    expect(await Promise.all(states)).toEqual(states.map(() => ({ status: "ready" })));
    proxy.heal();
    await until(() => running.lines("started").length === 3, "it serves once the store is back");
    expect(running.lines("worker exited unexpectedly; starting another")).toHaveLength(1);
  });
});
