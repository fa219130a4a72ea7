import { isDeepStrictEqual } from "node:util";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Operator, startOperator } from "../support/operator.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { answerInTime, bearer } from "../support/service.ts";
import { TcpProxy } from "../support/tcp-proxy.ts";
import { until } from "../support/until.ts";

/** Two connections to one database: a change by one concerns the cache of the other. */
const rulesAt = (url: string): string => `
connections:
  one: { kind: redis, url: "${url}" }
  other: { kind: redis, url: "${url}" }
tokens: { connection: other, layout: plain }
sources:
  - { name: global, kind: set, connection: one, key: global_features }
  - { name: same, kind: set, connection: other, key: global_features }
  - { name: user, kind: set, connection: one, key: "features:user:{userId}" }
`;

describe("the next call to the instance that acknowledged a change, while Redis is slow to notify it", () => {
  let redis: RedisServer;
  let proxy: TcpProxy;
  let operator: Operator & AsyncDisposable;
  beforeAll(async () => {
    redis = await startRedis();
    proxy = await TcpProxy.to(redis.port);
    proxy.delay(150, "TRACKING");
    operator = await startOperator(rulesAt(`redis://127.0.0.1:${proxy.port}`));
    await cached([]);
    await operator.put("/sources/user/features/own?userId=1");
  });
  afterAll(async () => {
    await operator[Symbol.asyncDispose]();
    await proxy[Symbol.asyncDispose]();
    await redis[Symbol.asyncDispose]();
  });

  /** Waits until both connections serve from the cache. */
  const cached = async (features: readonly string[]) => {
    const isCached = async () => {
      await operator.features();
      const { connections } = (await operator.get("/cache?key=global_features")).body;
      return connections.every(
        ({ cached }: { cached: { fresh: boolean; features: string[] } | null }) =>
          cached?.fresh && isDeepStrictEqual(cached.features, features),
      );
    };
    await until(isCached, "answers are cached");
  };

  let token: string;
  let tokenId: string;
  beforeEach(async () => {
    const { body } = await operator.post("/users/1/tokens");
    ({ token, id: tokenId } = body);
    await operator.current(token);
  });

  it("includes a feature added to a set, and lacks a removed one, for each connection", async () => {
    for (const source of ["global", "same"]) {
      await operator.put(`/sources/${source}/features/new`);
      expect(await operator.current()).toEqual(["new"]);
      await cached(["new"]);
      await operator.delete(`/sources/${source}/features/new`);
      expect(await operator.current()).toEqual([]);
    }
  });

  it("rejects a token that was revoked by its id", async () => {
    expect(await operator.current(token)).toEqual(["own"]);
    await operator.delete(`/users/1/tokens/${tokenId}`);
    expect((await answerInTime(operator.service, "/features", bearer(token))).status).toBe(401);
  });
});
