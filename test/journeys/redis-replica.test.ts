import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { available, changesOf, type Operator, redisRulesAt, startOperator } from "../support/operator.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { answerInTime, bearer } from "../support/service.ts";
import { until } from "../support/until.ts";

describe("a Redis that becomes a replica", () => {
  let redis: RedisServer;
  let operator: Operator & AsyncDisposable;
  beforeAll(async () => {
    redis = await startRedis();
    await redis.client.multi().sadd("global_features", "menu").set("token:1234", "1").exec();
    operator = await startOperator(redisRulesAt(redis.url));
    await answerInTime(operator.service, "/features", bearer("1234"));
  });
  afterAll(async () => {
    await operator[Symbol.asyncDispose]();
    await redis[Symbol.asyncDispose]();
  });

  async function ask(token: string, of = operator) {
    const response = await of.service.get("/features", bearer(token));
    return { status: response.status, body: await response.text(), mark: response.headers.get("cache-status") };
  }
  const body = '{"active_features":["always","menu"]}';
  const stale = expect.stringMatching(/^tidegate; hit; ttl=-\d+; detail="stale"$/);
  const accepted = { state: "accepted" };
  const replica = { state: "refused", reason: expect.stringContaining("it is a replica; connect to the primary") };

  it("serves clients with marked responses, and rejects changes permanently, until it is the primary again", async () => {
    expect(await changesOf(operator)).toEqual({ users: accepted, features: accepted });
    await redis.client.call("REPLICAOF", "127.0.0.1", "1");
    await until(async () => (await ask("1234")).mark !== null, "the answer is marked");
    // Data verified before the failover stays fresh for 1 s.
    let uncertain = 0;
    const isUncertain = async () => {
      uncertain = (await ask("unknown")).status === 503 ? uncertain + 1 : 0;
      return uncertain > 50;
    };
    await until(isUncertain, "unknown tokens get 503");
    for (let call = 0; call < 20; call++) {
      const answer = await ask("1234");
      expect(answer).toEqual({ status: 200, body, mark: stale });
      expect((await ask("unknown")).status).toBe(503);
    }
    expect(await changesOf(operator)).toEqual({ users: replica, features: replica });
    const refused = await available(() => operator.put("/killed/menu"));
    expect([refused.status, refused.body.code, refused.headers.get("retry-after")]).toEqual([
      503,
      "store-read-only",
      null,
    ]);
    expect(refused.body.detail).toContain("replica");
    await redis.client.call("REPLICAOF", "NO", "ONE");
    await until(async () => (await ask("1234")).mark === null, "the answer is fresh again");
    await until(async () => (await operator.put("/killed/menu")).status === 200, "changes are accepted again");
    expect(await changesOf(operator)).toEqual({ users: accepted, features: accepted });
    expect((await operator.delete("/killed/menu")).status).toBe(200);
  });

  it("serves marked responses if it is a replica at the start of a service", async () => {
    await redis.client.call("REPLICAOF", "127.0.0.1", "1");
    await using late = await startOperator(redisRulesAt(redis.url));
    await until(async () => (await ask("1234", late)).status === 200, "it is connected");
    expect(await ask("1234", late)).toEqual({ status: 200, body, mark: stale });
    expect(await changesOf(late)).toEqual({ users: replica, features: replica });
    await redis.client.call("REPLICAOF", "NO", "ONE");
    await until(async () => (await ask("1234", late)).mark === null, "the answer is fresh");
  });

  it("keeps its connections while it rejects changes", async () => {
    await redis.client.call("REPLICAOF", "127.0.0.1", "1");
    await until(async () => (await ask("1234")).mark !== null, "the answer is marked");
    await until(async () => {
      for (let call = 0; call < 20; call++) {
        if ((await operator.put("/killed/menu")).body.code !== "store-read-only") return false;
        expect((await ask("1234")).body).toBe(body);
      }
      return true;
    }, "20 changes in a row are refused by the replica");
    await redis.client.call("REPLICAOF", "NO", "ONE");
  });
});
