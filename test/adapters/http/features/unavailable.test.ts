import { describe, expect, it } from "vitest";
import { type Answered, answeredInTime, redisRulesAt, startOperator } from "../../../support/operator.ts";
import { startRedis } from "../../../support/redis.ts";
import { TcpProxy } from "../../../support/tcp-proxy.ts";
import { until } from "../../../support/until.ts";

type Row = { feature: string; state: string; stale: boolean };

describe("the states of features while a store is unavailable", () => {
  const rowsOf = (body: Answered["body"]) =>
    new Map((body.features as Row[]).map(({ feature, ...row }) => [feature, row] as const));

  it("are the last known ones, marked as stale, and current again afterwards", async () => {
    await using redis = await startRedis();
    await using proxy = await TcpProxy.to(redis.port);
    await using operator = await startOperator(redisRulesAt(`redis://127.0.0.1:${proxy.port}`));
    await operator.put("/sources/global/features/menu");
    await operator.put("/sources/user/features/held?userId=1");
    await operator.put("/catalogue/menu", {}, { description: "The menu" });
    const before = await answeredInTime(() => operator.get("/features"));
    expect(rowsOf(before.body).get("menu")).toMatchObject({ state: "on", stale: false });
    proxy.cut();
    await until(async () => {
      const { status, body } = await operator.get("/features");
      expect(status).toBe(200);
      return body.sources[0].stale && rowsOf(body).get("held")?.stale === true;
    }, "the list is stale");
    const { body } = await operator.get("/features");
    expect(body.counts).toEqual(before.body.counts);
    expect(body.sources[0]).toMatchObject({ source: "global", state: "evaluated", error: expect.any(String) });
    expect(rowsOf(body).get("held")).toMatchObject({ state: "held", stale: true });
    expect(rowsOf(body).get("always")).toMatchObject({ state: "on", stale: false });
    proxy.heal();
    await until(
      async () => !(await operator.get("/features")).body.sources.some(({ stale }: Row) => stale),
      "it is fresh",
    );
  });

  it("are unknown where an unavailable source could decide them", async () => {
    await using operator = await startOperator(`
connections:
  features: { kind: sqlite, file: "\${FOLDER}/store.db" }
sources:
  - { name: global, kind: set, connection: features, key: global_features }
  - { name: flags, kind: flagd, url: "http://127.0.0.1:9/flags.json" }
  - { name: skipped, kind: flagd, url: "http://127.0.0.1:9/flags.json", onFailure: skip }
  - { name: killed, kind: set, connection: features, key: "tidegate:killed", role: veto }
`);
    await operator.put("/sources/global/features/menu");
    await operator.put("/killed/other");
    await operator.put("/catalogue/described", {}, { description: "Perhaps a flag" });
    const { status, body } = await operator.get("/features");
    expect(status).toBe(200);
    expect([...rowsOf(body)].map(([feature, { state }]) => [feature, state])).toEqual([
      ["described", "unknown"],
      ["menu", "on"],
      ["other", "killed"],
    ]);
    expect(body.counts).toMatchObject({ unknown: 1, on: 1, killed: 1 });
    expect(body.sources.map(({ source, state }: { source: string; state: string }) => [source, state])).toEqual([
      ["global", "evaluated"],
      ["flags", "unavailable"],
      ["skipped", "skipped"],
      ["killed", "evaluated"],
    ]);
    const impact = (await operator.get("/features/described/impact?change=kill")).body;
    expect(impact).toMatchObject({ stateBefore: "unknown", complete: false });
  });
});
