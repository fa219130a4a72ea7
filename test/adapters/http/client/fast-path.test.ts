import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RawAnswer, rawGet, sendRaw } from "../../../support/raw-http.ts";
import { type RedisServer, startRedis } from "../../../support/redis.ts";
import { answerInTime, redisRules, startService, type TestService } from "../../../support/service.ts";
import { firstResult } from "../../../support/until.ts";

/** Requests of every form that the fast path serves, and some that the route must serve. */
const requests: readonly (readonly [target: string, ...headers: string[]])[] = [
  ["/features"],
  ["/features", "Authorization: Bearer 1234"],
  ["/features", "Authorization: Basic OjEyMzQ="],
  ["/features", "Authorization: Bearer unknown"],
  ["/features", "Authorization:"],
  ["/features", "Authorization: Bearer 1234", "Authorization: Bearer other"],
  ["/features", "Accept: */*"],
  ["/features", "Accept: application/json"],
  ["/features", "Accept: text/html"],
  ["/features", "Accept: text/html, */*"],
  ["/features", 'If-None-Match: "other"'],
  ["/features", "If-None-Match: *"],
  ["/features", "X-Request-Id: mine"],
  ["/features", "Content-Length: 3", "X-Body: abc"],
  ["/features", "Host: other"],
  ["/features?location=madrid"],
  ["/features?location=madrid", "Authorization: Bearer 1234"],
  ["/features?location=a&location=b"],
  ["/features?location=%00"],
  ["/features?"],
  ["/features?unknown=1"],
  ["/features#fragment"],
  ["/features/"],
  ["/featuresx"],
  [`/features?location=${"x".repeat(5_000)}`],
];

describe("the fast path", () => {
  let redis: RedisServer;
  let short: TestService;
  let long: TestService;
  beforeAll(async () => {
    redis = await startRedis();
    await redis.client.set("token:1234", "1");
    await redis.client.sadd("global_features", "feature_1", "größer");
    await redis.client.sadd("active_features", "feature_3");
    await redis.client.sadd("features:user:1", "feature_3", "feature_4");
    await redis.client.sadd("location:madrid", "feature_9");
    const location = `  - { name: location, kind: set, connection: features, key: "location:{location}" }\n`;
    const rules = redisRules(redis.url, redis.url) + location;
    short = await startService(rules);
    long = await startService(rules, {}, { hasShortcut: false });
    for (const service of [short, long]) expect(await service.readyWithin(10_000)).toBe(true);
  });
  afterAll(async () => {
    for (const each of [short, long, redis]) await each[Symbol.asyncDispose]();
  });

  /** The first response that no slow store affects, without what differs between any two responses. */
  const steady = async (call: () => Promise<RawAnswer>) => {
    const isInTime = ({ head }: RawAnswer) => !/^(cache-status|retry-after):/im.test(head);
    const { head, body } = await firstResult(call, isInTime, "the store answers in time");
    return `${head}\n${body}`.replace(/Date: [^\r]+/, "Date").replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, "an id");
  };

  it.each(requests)("returns the same bytes as the route: %s %s", async (target, ...headers) => {
    const ask = (service: TestService) => steady(() => rawGet(service.url, target, ...headers));
    const expected = await ask(long);
    // The route serves the first request and prepares the second.
    for (let call = 0; call < 3; call++) expect(await ask(short)).toBe(expected);
    expect(await ask(long)).toBe(expected);
  });

  it.each(["HEAD", "OPTIONS", "POST", "TRACE"])("leaves %s to its route", async (method) => {
    const bytes = `${method} /features HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`;
    expect(await steady(() => sendRaw(short.url, bytes))).toBe(await steady(() => sendRaw(long.url, bytes)));
  });

  it.each(["", "Host: \r\n", "Host: a b\r\n", "Host: [::1]:80\r\n", "Host: ü\r\n"])(
    "leaves the host %j to the route",
    async (host) => {
      const bytes = `GET /features HTTP/1.1\r\n${host}Connection: close\r\n\r\n`;
      expect(await steady(() => sendRaw(short.url, bytes))).toBe(await steady(() => sendRaw(long.url, bytes)));
    },
  );

  it("returns 304 to a matching ETag", async () => {
    const etag = (await answerInTime(short, "/features")).headers.get("etag") ?? "";
    const ask = (service: TestService) => steady(() => rawGet(service.url, "/features", `If-None-Match: ${etag}`));
    expect(await ask(short)).toMatch(/^HTTP\/1\.1 304 /);
    expect(await ask(short)).toBe(await ask(long));
  });
});

describe.each([["*"], ["https://app.example", "https://other.example"]])(
  "the fast path with CORS for %s",
  (...origins) => {
    let short: TestService;
    let long: TestService;
    beforeAll(async () => {
      const yaml = `
connections: { store: { kind: sqlite, file: ":memory:" } }
tokens: { connection: store, layout: plain }
server: { cors: { origins: ${JSON.stringify(origins)} } }
sources: [{ name: literal, kind: static, features: { always: true } }]
`;
      short = await startService(yaml);
      long = await startService(yaml, {}, { hasShortcut: false });
    });
    afterAll(async () => {
      for (const each of [short, long]) await each[Symbol.asyncDispose]();
    });

    const origin = { origin: "https://app.example" };
    it.each([
      ["GET", "/features", {}],
      ["GET", "/features", origin],
      ["GET", "/features", { origin: "https://evil.example" }],
      ["GET", "/features", { ...origin, "if-none-match": "*" }],
      ["GET", "/features", { ...origin, authorization: "Bearer unknown" }],
      ["POST", "/ofrep/v1/evaluate/flags", origin],
      ["POST", "/ofrep/v1/evaluate/flags", { ...origin, "if-none-match": "*" }],
      ["POST", "/ofrep/v1/evaluate/flags", { origin: "null" }],
    ])("returns the headers of the route: %s %s %j", async (method, path, headers: Record<string, string>) => {
      const ask = async (service: TestService) => {
        const type = { "content-type": "application/json" };
        const init = method === "POST" ? { headers: { ...headers, ...type }, body: "{}" } : { headers };
        const response = await fetch(service.url + path, { method, ...init });
        await response.arrayBuffer();
        const { date: _, "x-request-id": __, "content-length": ___, ...others } = Object.fromEntries(response.headers);
        return { status: response.status, headers: others };
      };
      const expected = await ask(long);
      for (let call = 0; call < 2; call++) expect(await ask(short)).toEqual(expected);
    });
  },
);
