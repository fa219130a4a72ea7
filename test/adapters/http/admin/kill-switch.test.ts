import { describe, expect, it } from "vitest";
import { freshnessBoundMs } from "../../../../src/domain/evaluation/cached-read.ts";
import { type Answer, ask, Calls } from "../../../support/calls.ts";
import { adminToken, redisRulesAt, sqliteRules, startOperator } from "../../../support/operator.ts";
import { startRedis } from "../../../support/redis.ts";
import { bearer } from "../../../support/service.ts";
import { TcpProxy } from "../../../support/tcp-proxy.ts";
import { until } from "../../../support/until.ts";

describe("the kill switch", () => {
  it("switches a feature off for everyone, and restores its previous state", async () => {
    await using operator = await startOperator(sqliteRules);
    await operator.put("/sources/global/features/menu");
    await operator.put("/sources/active/features/menu");
    const { body: issued } = await operator.post("/users/1/tokens");
    await operator.put("/sources/user/features/menu?userId=1");
    await operator.put("/sources/user/features/other?userId=1");
    await operator.put("/sources/active/features/other");
    const before = [await operator.features(), await operator.features(issued.token)];
    expect(before).toEqual([
      ["always", "menu"],
      ["always", "menu", "other"],
    ]);

    const killed = await operator.put("/killed/menu");
    expect([killed.status, killed.body]).toEqual([
      200,
      {
        source: "killed",
        key: "tidegate:killed",
        added: ["menu"],
        removed: [],
        revision: expect.any(String),
        everywhere: false,
      },
    ]);
    expect([await operator.features(), await operator.features(issued.token)]).toEqual([
      ["always"],
      ["always", "other"],
    ]);
    const list = await operator.get("/killed");
    expect([list.body.features, list.etag]).toEqual([["menu"], killed.etag]);
    expect((await operator.get("/features/menu")).body.killed).toBe(true);

    expect((await operator.delete("/killed/menu")).body).toMatchObject({ removed: ["menu"] });
    expect([await operator.features(), await operator.features(issued.token)]).toEqual(before);
  });

  it("kills features of all kinds of sources", async () => {
    await using operator = await startOperator(sqliteRules);
    await operator.put("/killed/always");
    expect(await operator.features()).toEqual([]);
  });

  it("returns a configuration hint if no kill switch exists", async () => {
    await using operator = await startOperator(sqliteRules.replace(/.*name: killed.*/, ""));
    for (const refused of [
      await operator.put("/killed/menu"),
      await operator.delete("/killed/menu"),
      await operator.get("/killed"),
    ]) {
      expect([refused.status, refused.body.code]).toEqual([409, "no-kill-switch"]);
      expect(refused.body.detail).toContain('key: "tidegate:killed", role: veto');
    }
  });

  it("supports dry runs, revisions and Idempotency-Keys", async () => {
    await using operator = await startOperator(sqliteRules);
    const isRecorded = async () => (await operator.get("/killed")).body.revision !== "none.0";
    await until(isRecorded, "the set has a baseline record");
    const { etag } = await operator.get("/killed");
    expect((await operator.put("/killed/menu?dryRun=true&wait=true")).body).toMatchObject({
      added: ["menu"],
      dryRun: true,
    });
    expect((await operator.get("/killed")).body.features).toEqual([]);
    const headers = { "if-match": etag ?? "", "idempotency-key": "kill-1" };
    const first = await operator.put("/killed/menu", headers);
    expect(first.body.added).toEqual(["menu"]);
    expect((await operator.put("/killed/menu", headers)).body).toEqual(first.body);
    expect((await operator.put("/killed/menu", { "if-match": etag ?? "" })).status).toBe(412);
  });

  it("waits until each instance applies it or marks its responses, even slow and disconnected ones", async () => {
    await using redis = await startRedis();
    await using proxy = await TcpProxy.to(redis.port);
    await using operator = await startOperator(redisRulesAt(redis.url));
    await using another = await startOperator(redisRulesAt(redis.url));
    await using cutOff = await startOperator(redisRulesAt(`redis://127.0.0.1:${proxy.port}`));
    const instances = [operator, another, cutOff];
    const seen = () => Promise.all(instances.map(({ service }) => ask(service)));
    const isOn = async () => (await seen()).every(({ features }) => features.includes("menu"));
    const isDone = (answer: Answer) => !answer.features.includes("menu") || answer.mark !== null;
    await operator.put("/sources/global/features/menu");
    const delayMs = 100;
    proxy.delay(delayMs, "TRACKING");
    await until(async () => {
      await operator.delete("/killed/menu");
      await until(isOn, "all instances have it");
      const askedAt = performance.now();
      const { body } = await operator.put("/killed/menu?wait=true");
      const waitedMs = performance.now() - askedAt;
      const answers = await seen();
      expect(answers.filter((answer) => !isDone(answer))).toEqual([]);
      if (body.missing === 0) expect(body.confirmed).toBeGreaterThanOrEqual(instances.length);
      // On a busy machine the delayed connection may have been lost before. Then it is not awaited.
      const isAwaited = waitedMs >= delayMs - 10 && body.tookMs < freshnessBoundMs - 100;
      return isAwaited && answers.every(({ mark }) => mark === null);
    }, "all instances confirm it");

    await until(async () => {
      proxy.heal();
      await operator.delete("/killed/menu");
      await until(isOn, "all instances have it");
      await until(async () => (await ask(cutOff.service)).mark === null, "the one that will be cut off is fresh");
      await using calls = new Calls(cutOff.service);
      await using others = new Calls(operator.service);
      proxy.hold();
      const askedAt = performance.now();
      const { body } = await operator.put("/killed/menu?wait=true");
      const everywhereAt = Date.now();
      expect(body).toMatchObject({ added: ["menu"], everywhere: true });
      // On a busy machine its connection may have been lost before: then it marks its responses, and is not awaited.
      const isAwaited = body.missing > 0;
      if (isAwaited) {
        expect(body.confirmed).toBeGreaterThanOrEqual(instances.length - 1);
        expect(body.tookMs).toBeGreaterThanOrEqual(freshnessBoundMs);
      }
      expect(performance.now() - askedAt).toBeGreaterThanOrEqual(body.tookMs - 1);
      for (const { answers } of [calls, others]) {
        const late = () => answers.filter(({ askedAt: at }) => at >= everywhereAt);
        await until(() => late().length > 5, "calls are made after it");
        expect(late().filter((answer) => !isDone(answer))).toEqual([]);
      }
      expect(await operator.current()).not.toContain("menu");
      // Acknowledgement depends on the wait if the disconnected instance served responses as fresh before it. Its lease
      // may have ended earlier on a busy machine.
      return isAwaited && calls.answers.some((answer) => !isDone(answer));
    }, "the disconnected instance serves the killed feature until the wait ends");
  });

  it("works while the event log is unavailable", async () => {
    await using redis = await startRedis();
    await using operator = await startOperator(redisRulesAt(redis.url), {
      DATABASE_URL: "postgres://a:b@127.0.0.1:1/away",
    });
    expect((await operator.service.get("/events", bearer(adminToken))).status).toBe(503);
    await operator.put("/sources/global/features/menu");
    const killed = await operator.put("/killed/menu?wait=true", { "idempotency-key": "at-4-am" });
    expect([killed.status, killed.body.added, killed.body.everywhere]).toEqual([200, ["menu"], true]);
    expect(await operator.current()).not.toContain("menu");
    expect((await operator.delete("/killed/menu")).status).toBe(200);
    expect(await operator.current()).toContain("menu");
  });

  it("works on every route while Redis is out of memory, unlike other additions", async () => {
    await using redis = await startRedis();
    await using operator = await startOperator(redisRulesAt(redis.url));
    await operator.put("/sources/global/features/menu");
    await redis.client.config("SET", "maxmemory", "1");
    const headers = { "idempotency-key": "at-3-am" };
    const killed = await operator.put("/killed/menu", headers);
    expect([killed.status, killed.body.added]).toEqual([200, ["menu"]]);
    expect(await operator.current()).not.toContain("menu");
    expect((await operator.put("/killed/menu", headers)).body).toEqual(killed.body);
    const other = await operator.put("/killed/other", headers);
    expect([other.status, other.body.code]).toEqual([422, "idempotency-key-reused"]);
    const refused = await operator.put("/sources/global/features/more");
    expect([refused.status, refused.body.code]).toEqual([503, "store-full"]);
    const removed = await operator.delete("/sources/global/features/menu", { "idempotency-key": "at-4-am" });
    expect([removed.status, removed.body.removed]).toEqual([200, ["menu"]]);
    expect((await operator.delete("/killed/menu")).status).toBe(200);
    const byOtherRoutes = [
      await operator.put("/sources/killed/features/one", { "idempotency-key": "at-5-am" }),
      await operator.post("/changes", { changes: [{ source: "killed", add: ["two"] }] }, { "idempotency-key": "at-6" }),
    ];
    expect(byOtherRoutes.map(({ status }) => status)).toEqual([200, 200]);
    expect((await operator.get("/killed")).body.features).toEqual(["one", "two"]);
    await redis.client.config("SET", "maxmemory", "0");
    expect((await operator.put("/sources/global/features/more")).status).toBe(200);
  });
});

describe("an unavailable store", () => {
  it("is reported by each route that needs it", async () => {
    await using operator = await startOperator(redisRulesAt("redis://127.0.0.1:1"));
    const answers = [
      await operator.put("/killed/menu", { "idempotency-key": "kill" }),
      await operator.put("/sources/global/features/menu"),
      await operator.get("/sources/global/features"),
      await operator.get("/features"),
      await operator.get("/users/1"),
      await operator.post("/users/1/tokens"),
      await operator.put("/catalogue/menu", {}, {}),
    ];
    for (const { status, body, headers } of answers) {
      expect([status, body.code, headers.get("retry-after")]).toEqual([503, "source-unavailable", "1"]);
    }
    expect((await operator.get("/sources")).status).toBe(200);
  });

  it("rejects changes after a data loss until it is accepted", async () => {
    await using redis = await startRedis();
    await using operator = await startOperator(redisRulesAt(redis.url));
    await operator.put("/sources/global/features/menu");
    expect(await operator.current()).toContain("menu");
    await redis.client.flushall();
    await until(async () => {
      const answer = await operator.service.get("/features");
      return answer.headers.has("cache-status");
    }, "the loss is noticed");
    const refused = await operator.put("/killed/other");
    expect([refused.status, refused.body.code]).toEqual([503, "source-unavailable"]);
    expect(await operator.features()).toContain("menu");
    await redis.client.set("tidegate:store", "1");
    expect((await operator.put("/killed/other")).status).toBe(200);
    await until(async () => !(await operator.features()).includes("menu"), "the store is accepted");
  });
});
