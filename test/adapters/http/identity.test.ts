import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isCredentialName } from "../../../src/adapters/credential-name.ts";
import { type RedisServer, startRedis } from "../../support/redis.ts";
import {
  answerInTime,
  bearer,
  redisRules,
  settled,
  startService,
  type TestService,
  ways,
} from "../../support/service.ts";

const names = [
  ..."userId,user_id,userid,uid,id,sub,subject,targetingKey,targeting_key,context,context[userId],evaluationContext".split(
    ",",
  ),
  ..."token,access_token,auth,key,as,impersonate,username,account,attributes.userId,__proto__.userId,constructor".split(
    ",",
  ),
];
const headers = [
  ..."X-User,X-User-Id,X-User-ID,X-Forwarded-User,X-Auth-User,X-Auth-Request-User,Remote-User,X-Remote-User,From".split(
    ",",
  ),
  ..."X-Token,X-Api-Key,X-Auth-Token,Proxy-Authorization,X-Authorization,Tidegate-Client-Id,Targeting-Key,X-Targeting-Key".split(
    ",",
  ),
  ..."X-Original-URL,X-Rewrite-URL,X-HTTP-Method-Override,X-Forwarded-For,Forwarded,Cookie,Cookie2,X-Subject".split(
    ",",
  ),
];
const values = ["2", "token-of-2", "features:user:2", '{"userId":"2"}', "userId=2; token=token-of-2", ":2", "../2"];

describe.each(ways)("client input, with calls served %s", (_, way) => {
  let redis: RedisServer;
  let service: TestService;
  beforeAll(async () => {
    redis = await startRedis();
    const location = `  - { name: location, kind: set, connection: features, key: "location:{location}", gatedBy: [active] }\n`;
    service = await startService(redisRules(redis.url, redis.url) + location, {}, way);
    await service.readyWithin(10_000);
    await redis.client.mset("token:token-of-1", "1", "token:token-of-2", "2");
    await redis.client.sadd("active_features", "mine", "secret");
    await redis.client.sadd("features:user:1", "mine");
    await redis.client.sadd("features:user:2", "secret");
    await settled(redis.client, service);
  });
  afterAll(async () => {
    await service[Symbol.asyncDispose]();
    await redis[Symbol.asyncDispose]();
  });

  const answerTo = async (path: string, sent: Record<string, string>) =>
    (await answerInTime(service, path, sent)).text();

  it("returns own data (so the tests below would detect that of another user)", async () => {
    expect(await answerTo("/features", bearer("token-of-2"))).toBe('{"active_features":["secret"]}');
  });

  it.each(names)("cannot select another user's data as the query parameter %s", async (name) => {
    for (const value of values) {
      const path = `/features?${encodeURIComponent(name)}=${encodeURIComponent(value)}`;
      const own = isCredentialName(name) ? "credential-in-query" : '{"active_features":["mine"]}';
      const everyones = isCredentialName(name) ? "credential-in-query" : '{"active_features":[]}';
      expect(await answerTo(path, bearer("token-of-1"))).toContain(own);
      expect(await answerTo(path, {})).toContain(everyones);
    }
  });

  it("needs an operator as the query parameter user", async () => {
    for (const at of ["", "&at=2026-01-01T00:00:00Z"]) {
      const answer = await service.get(`/features?user=2${at}`, bearer("token-of-1"));
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(await answer.text()).not.toContain("secret");
    }
  });

  it.each(headers)("cannot select another user's data as the header %s", async (name) => {
    for (const value of values) {
      expect(await answerTo("/features", { ...bearer("token-of-1"), [name]: value })).toBe(
        '{"active_features":["mine"]}',
      );
      expect(await answerTo("/features", { [name]: value })).toBe('{"active_features":[]}');
    }
  });

  it.each([...values, ":user:2", "x:../features:user:2", "features:user:2\u0000", "{features:user:2}", "*2"])(
    "cannot select another user's data as the location %j",
    async (location) => {
      const answer = await answerTo(`/features?location=${encodeURIComponent(location)}`, bearer("token-of-1"));
      expect(answer).not.toContain("secret");
    },
  );

  it.each(["GET", "POST", "PUT"])("cannot select another user's data as the body of a %s", async (method) => {
    const { hostname, port } = new URL(service.url);
    const { request } = await import("node:http");
    const text = await new Promise<string>((resolve, reject) => {
      const sent = request({ hostname, port, method, path: "/features", headers: bearer("token-of-1") }, (response) => {
        let read = "";
        response.setEncoding("utf8").on("data", (chunk) => {
          read += chunk;
        });
        response.on("end", () => resolve(read));
      });
      sent.on("error", reject);
      sent.end(JSON.stringify({ userId: "2", token: "token-of-2", context: { userId: "2", targetingKey: "2" } }));
    });
    expect(text).not.toContain("secret");
  });
});
