import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Operator, redisRulesAt, sqliteRules, startOperator } from "../support/operator.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { until } from "../support/until.ts";

describe("one data folder, used with one store and then with another", () => {
  let folder: string;
  let redis: RedisServer;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "tidegate-moved-"));
    redis = await startRedis();
  });
  afterAll(async () => {
    await redis[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  const env = () => ({ FOLDER: folder, TIDEGATE_DATA: folder });
  const rollout = "  - { name: rollout, kind: percentage, connection: features }\n";
  const put = async (operator: Operator, feature: string) => {
    expect((await operator.put(`/sources/global/features/${feature}`)).status).toBe(200);
    expect((await operator.put(`/sources/rollout/rules/rule_${feature}`, {}, { percentage: 100 })).status).toBe(200);
    await until(async () => (await operator.features()).includes(feature), "the change is served");
  };
  const asOf = async (operator: Operator, at: number) => {
    const answer = await operator.service.get(`/features?user=1&at=${new Date(at).toISOString()}`, {
      authorization: "Bearer the-operators-credential",
    });
    const body = (await answer.json()) as { active_features?: string[]; code?: string };
    if (answer.status === 200 && answer.headers.has("cache-status")) return "partly known";
    return body.active_features ?? body.code;
  };
  /** The features and their last changes, as `explain` returns them. */
  const explained = async (operator: Operator, at: number) => {
    const question = { user: "1", at: new Date(at).toISOString(), features: ["of_the_file", "rule_of_the_file"] };
    const { status, body } = await operator.post("/explain", question);
    const features = body.features as { on: boolean | null; results: { lastChange: object | null }[] }[];
    return [status, ...features.map(({ on, results }) => [on, results.some(({ lastChange }) => lastChange)])];
  };
  /** An instant that the log covers completely. */
  async function moment(operator: Operator): Promise<number> {
    let at = 0;
    const isKnown = async () => {
      at = Date.now() - 1;
      return Array.isArray(await asOf(operator, at));
    };
    await until(isKnown, "the log is complete");
    return at;
  }

  it("never returns the past of the other store, and continues its own", async () => {
    const ofFile = ["always", "of_the_file", "rule_of_the_file"];
    const isOn = [200, [true, true], [true, true]];
    let inFile: number;
    let inRedis: number;
    {
      await using operator = await startOperator(sqliteRules + rollout, env());
      await put(operator, "of_the_file");
      inFile = await moment(operator);
      expect(await asOf(operator, inFile)).toEqual(ofFile);
      expect(await explained(operator, inFile)).toEqual(isOn);
    }
    {
      await using operator = await startOperator(redisRulesAt(redis.url) + rollout, env());
      await put(operator, "of_redis");
      inRedis = await moment(operator);
      expect(await asOf(operator, inRedis)).toEqual(["always", "of_redis", "rule_of_redis"]);
      expect(await asOf(operator, inFile)).toBe("history-unavailable");
      expect(await explained(operator, inFile)).toEqual([200, [null, false], [null, false]]);
      expect(await explained(operator, inRedis)).toEqual([200, [false, false], [false, false]]);
    }
    await using operator = await startOperator(sqliteRules + rollout, env());
    expect(await asOf(operator, inFile)).toEqual(ofFile);
    expect(await asOf(operator, inRedis)).toEqual(ofFile);
    expect(await explained(operator, inRedis)).toEqual(isOn);
  });
});
