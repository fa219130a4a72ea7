import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cached, commandsSeen, readsIn } from "../../support/commands-seen.ts";
import { type RawAnswer, rawGet, sendRaw } from "../../support/raw-http.ts";
import { emptied, type RedisServer, startRedis } from "../../support/redis.ts";
import {
  answerInTime,
  basic,
  bearer,
  redisRules,
  settled,
  startService,
  type TestService,
} from "../../support/service.ts";
import { oddTokens, unlikelyTokens } from "../../support/unlikely.ts";
import { until } from "../../support/until.ts";

let redis: RedisServer;
let service: TestService;
beforeAll(async () => {
  redis = await startRedis();
  const location = `  - { name: location, kind: set, connection: features, key: "location:{location}" }\n`;
  service = await startService(redisRules(redis.url, redis.url) + location);
  await service.readyWithin(10_000);
  await redis.client.set("token:1234", "1");
  await redis.client.sadd("global_features", "feature_1");
  await settled(redis.client, service);
});
afterAll(async () => {
  await service[Symbol.asyncDispose]();
  await redis[Symbol.asyncDispose]();
});

/** Expects a problem with the members of RFC 9457 and of the seed. */
async function expectProblem(answer: Response | RawAnswer, status: number, code: string): Promise<void> {
  const text = "body" in answer && typeof answer.body === "string" ? answer.body : await (answer as Response).text();
  expect([answer.status, text]).toEqual([status, expect.stringContaining(`"code":"${code}"`)]);
  const type = "head" in answer ? answer.head : answer.headers.get("content-type");
  expect(type).toContain("application/problem+json");
  const body = JSON.parse(text);
  expect(body).toEqual({
    type: `/problems/${code}`,
    title: expect.any(String),
    status,
    detail: expect.any(String),
    code,
    requestId: expect.stringMatching(/^[A-Za-z0-9._-]{1,64}$/),
    key: expect.stringMatching(/^[a-z_]+_error$/),
    message: expect.any(String),
  });
}

const withAuthorization = (value: string) => answerInTime(service, "/features", { authorization: value });
const base64 = (text: string | Buffer) => Buffer.from(text).toString("base64");

describe("invalid credentials", () => {
  it.each([
    ["empty", ""],
    ["Bearer without a token", "Bearer"],
    ["Bearer with two tokens", "Bearer a b"],
    ["two tokens in one header", "Bearer 1234, Bearer 1234"],
    ["Bearer with a token for Basic", "Bearer ab:cd"],
    ["Bearer with bytes that are no b64token", "Bearer t\xfc"],
    ["Basic without anything", "Basic"],
    ["Basic that is not Base64", "Basic ####"],
    ["Basic in URL-safe Base64", `Basic ${base64(":\u00bf\u00bf?>")}`.replaceAll("/", "_").concat("_")],
    ["Basic without a colon", `Basic ${base64("1234")}`],
    ["Basic with an empty password", `Basic ${base64("1234:")}`],
    ["no scheme", "1234"],
  ])("get 401 with the fix: %s", async (_, value) => {
    await expectProblem(await withAuthorization(value), 401, "malformed-authorization");
  });

  it.each(["Digest username=x", "Token 1234", "Negotiate abcd", "ApiKey 1234"])(
    "must use a supported scheme, not %j",
    async (value) => {
      await expectProblem(await withAuthorization(value), 401, "unsupported-auth-scheme");
    },
  );

  it("get the supported schemes", async () => {
    const { headers } = await withAuthorization("Bearer nobody");
    expect(headers.get("www-authenticate")).toBe('Bearer realm="tidegate", Basic realm="tidegate", charset="UTF-8"');
  });

  it.each([...oddTokens, ...unlikelyTokens].filter((token) => token !== "" && token !== "x".repeat(10_000)))(
    "get 401 as a Basic password: %j",
    async (token) => {
      await expectProblem(await answerInTime(service, "/features", basic(token)), 401, "invalid-token");
    },
  );

  it("get 401 with a length of 10 kB", async () => {
    await expectProblem(await answerInTime(service, "/features", bearer("x".repeat(10_000))), 401, "invalid-token");
  });

  it("get 401 if they are not UTF-8", async () => {
    await expectProblem(
      await rawGet(service.url, "/features", "Authorization: Bearer \xff\xfe"),
      401,
      "malformed-authorization",
    );
    await expectProblem(
      await withAuthorization(`Basic ${base64(Buffer.from([0x3a, 0xff, 0xfe]))}`),
      401,
      "invalid-token",
    );
  });

  it("read no other key of Redis", async () => {
    // Cached keys would not be read, so the caches are emptied first.
    await emptied(redis.client);
    await redis.client.set("token:1234", "1");
    await redis.client.sadd("global_features", "feature_1");
    await settled(redis.client, service);
    using commands = await commandsSeen(redis);
    await cached(commands, async () => void (await service.get("/features", bearer("barrier"))));
    const seen = await commands.during(async () => {
      for (const token of [...oddTokens, ...unlikelyTokens, "1234", "nobody"]) {
        if (token.length < 1_000) await service.get("/features", basic(token));
      }
      for (const location of ["madrid:1", "{x}", "..%2F..", "*", "global_features", "a%20b"]) {
        await service.get(`/features?location=${location}`);
      }
    });
    const meant = ["features:user:1", ...["1234", "nobody", ...oddTokens].map((token) => `token:${token}`)];
    const places = ["madrid%3A1", "%7Bx%7D", "../..", "..", "%2A", "global_features", "a%20b"].map(
      (place) => `location:${place}`,
    );
    const read = new Set(readsIn(seen));
    expect(read).toEqual(new Set([...meant, ...places]).union(read));
    // These are cached, and read again if the machine is too busy to prove that they did not change.
    const again = ["global_features", "active_features", "tidegate:killed"];
    expect([...read].filter((key) => ![...meant, ...places, ...again].includes(key))).toEqual([]);
  });
});

describe("invalid paths", () => {
  it.each([
    "/nothing",
    "/FEATURES",
    "/features/",
    "/features/1",
    "/",
    "/docs/none.js",
    "/docs/constructor",
    "/problems/none",
    "/features%2fx",
    "/x/..%2ffeatures",
    "/x%5c..%5cfeatures",
    "/docs/..%2fopenapi.json",
  ])("get 404: %s", async (path) => {
    const response = await service.get(path);
    expect(await response.clone().json()).toMatchObject({ key: "url_not_found_error", message: "URL not found" });
    await expectProblem(response, 404, "not-found");
  });

  it.each([
    "/%zz",
    "/features%00",
    "/features/../health",
    "/features/%2e%2e/health",
    "/./features",
    "//features",
    "/features//",
    "/..",
    "/a%2fb/%2e%2e",
    "/a\\b",
    "/a%0d%0aX-Y:1",
    "/%ff%fe",
    "/%c0%ae%c0%ae/",
  ])("get 400: %s", async (target) => {
    await expectProblem(await rawGet(service.url, target), 400, "bad-path");
  });

  it.each(["features", "*", "file:///etc/passwd", "http://u@evil.example/features"])(
    "get 400 for the target %s",
    async (target) => {
      await expectProblem(await rawGet(service.url, target), 400, "bad-request");
    },
  );

  it("get 414 if too long, and 431 for too large headers", async () => {
    await expectProblem(await rawGet(service.url, `/features?x=${"x".repeat(12_288)}`), 414, "uri-too-long");
    await expectProblem(
      await rawGet(service.url, "/features", `X-Long: ${"x".repeat(20_000)}`),
      431,
      "headers-too-large",
    );
  });
});

describe("unsupported methods", () => {
  it.each(["PUT", "POST", "DELETE", "PATCH"])("get 405 with Allow: %s", async (method) => {
    const response = await fetch(`${service.url}/features`, { method });
    expect(response.headers.get("allow")).toBe("GET, HEAD, OPTIONS");
    await expectProblem(response, 405, "method-not-allowed");
  });

  it("get 204 with Allow for OPTIONS", async () => {
    const response = await fetch(`${service.url}/features`, { method: "OPTIONS" });
    expect([response.status, response.headers.get("allow")]).toEqual([204, "GET, HEAD, OPTIONS"]);
    expect((await fetch(`${service.url}/nothing`, { method: "OPTIONS" })).status).toBe(404);
  });

  it.each([
    ["/ofrep/v1/evaluate/flags/%", { key: "%", errorCode: "GENERAL", errorDetails: expect.any(String) }],
    ["/ofrep/v1/evaluate/flags?token=x", { errorCode: "GENERAL", errorDetails: expect.any(String) }],
    ["/api/frontend?token=x", { name: expect.any(String), message: expect.any(String) }],
    ["/search//x", { data: null, error: { code: "bad-path", message: expect.any(String) } }],
  ])("get errors that the clients of their path understand, also before a route: %s", async (target, members) => {
    const { status, head, body } = await rawGet(service.url, target);
    expect([status, JSON.parse(body)]).toEqual([400, expect.objectContaining(members)]);
    expect(head).toContain(`Content-Type: application/${"data" in members ? "problem+json" : "json"}`);
  });

  it("get 501 for TRACE and unknown methods", async () => {
    await expectProblem(
      await sendRaw(service.url, "TRACE /features HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
      501,
      "not-implemented",
    );
    await expectProblem(
      await sendRaw(service.url, "FOO /features HTTP/1.1\r\nHost: x\r\n\r\n"),
      501,
      "not-implemented",
    );
  });
});

describe("invalid requests", () => {
  it.each([
    ["no HTTP", "hello\r\n\r\n"],
    ["an invalid host", "GET /features HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n"],
    ["no host", "GET /features HTTP/1.1\r\nConnection: close\r\n\r\n"],
    ["two lengths", "GET /features HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"],
    [
      "a length and chunks",
      "GET /features HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
    ["a folded header", "GET /features HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n\r\n"],
    ["a null in a header", "GET /features HTTP/1.1\r\nHost: x\r\nX: a\u0000b\r\n\r\n"],
  ])("get 400: %s", async (_, bytes) => {
    await expectProblem(await sendRaw(service.url, bytes), 400, "bad-request");
  });

  it("get 417 for an Expect header other than 100-continue", async () => {
    await expectProblem(await rawGet(service.url, "/features", "Expect: wonders"), 417, "expectation-failed");
  });

  it("can have a body, which is not read", async () => {
    const body = "x".repeat(100_000);
    const answer = await sendRaw(
      service.url,
      `GET /features HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    expect(answer.status).toBe(200);
  });
});

describe("invalid locations", () => {
  it.each([
    ["1 kB", "x".repeat(1_000)],
    ["control characters", "a%00b"],
    ["line ends", "a%0d%0aSet-Cookie:x"],
  ])("get 400: %s", async (_, location) => {
    await expectProblem(await service.get(`/features?location=${location}`), 400, "invalid-context");
  });

  it("get 400 if repeated", async () => {
    await expectProblem(await service.get("/features?location=a&location=b"), 400, "invalid-context");
  });

  it.each(["%zz", "%ff", "..%2F..", "*", "madrid:1", "{x}", "global_features"])(
    "select no other key: %s",
    async (location) => {
      await redis.client.sadd("location:madrid", "local");
      const response = await answerInTime(service, `/features?location=${location}`);
      expect([response.status, await response.text()]).toEqual([200, '{"active_features":["feature_1"]}']);
    },
  );
});

describe("request ids", () => {
  it("are taken from the request if valid, otherwise new", async () => {
    const idOf = async (given: string) =>
      (await service.get("/nothing", { "x-request-id": given })).headers.get("x-request-id");
    expect(await idOf("abc-123")).toBe("abc-123");
    for (const bad of ["a b", "<script>", "x".repeat(65)]) {
      expect(await idOf(bad)).toMatch(/^[0-9a-f-]{36}$/);
    }
  });
});

describe("invalid data", () => {
  const shown = async (response: Response) => [response.status, await response.text()];
  const answerTo = async (token: string) => shown(await answerInTime(service, "/features", bearer(token)));
  const known = [200, '{"active_features":["feature_1"]}'];

  it("is omitted from a set: empty, binary, too long", async () => {
    await redis.client.sadd("global_features", "", Buffer.from([0xff, 0x00]), "x".repeat(1_000_000), "a\r\nb");
    await settled(redis.client, service);
    expect(await answerTo("1234")).toEqual(known);
  });

  it("fails the source without a cached value: too many members", async () => {
    await redis.client.set("token:many", "many");
    await redis.client.sadd("features:user:many", ...Array.from({ length: 10_001 }, (_, index) => `feature_${index}`));
    const response = await answerInTime(service, "/features", bearer("many"));
    expect(response.headers.has("retry-after")).toBe(false);
    await expectProblem(response, 503, "store-data-invalid");
    expect(await answerTo("1234")).toEqual(known);
    await redis.client.unlink("features:user:many");
    await until(async () => (await answerTo("many"))[0] === 200, "the source answers again");
  });

  it("fails the source without a cached value: another type", async () => {
    await redis.client.mset("token:typed", "typed", "features:user:typed", "text");
    const response = await answerInTime(service, "/features", bearer("typed"));
    expect(response.headers.has("retry-after")).toBe(false);
    const { detail } = (await response.clone().json()) as { detail: string };
    expect(detail).toBe(
      'Source "user" holds invalid data. Retrying does not help: an operator must fix the data that the log names.',
    );
    await expectProblem(response, 503, "store-data-invalid");
    expect(await answerTo("1234")).toEqual(known);
  });

  it.each(["global_features", "active_features", "tidegate:killed", "features:user:1"])(
    "keeps the cached value, marked as stale: %s of another type",
    async (key) => {
      expect(await answerTo("1234")).toEqual(known);
      const kept = await redis.client.dumpBuffer(key);
      await redis.client.set(key, "text");
      const stale = async () => {
        const response = await service.get("/features", bearer("1234"));
        await response.text();
        return response.headers.get("cache-status");
      };
      await until(async () => (await stale())?.includes("stale") === true, "the answer is marked as stale");
      expect(await shown(await service.get("/features", bearer("1234")))).toEqual(known);
      await redis.client.del(key);
      if (kept) await redis.client.restore(key, 0, kept);
      await until(async () => (await stale()) === null, "the answer is fresh again");
      expect(await answerTo("1234")).toEqual(known);
    },
  );

  it("fails tokens instead of rejecting them: an empty user, a user of another type", async () => {
    await redis.client.set("token:empty", "");
    await redis.client.sadd("token:listed", "1");
    await expectProblem(await answerInTime(service, "/features", bearer("empty")), 503, "store-data-invalid");
    await expectProblem(await answerInTime(service, "/features", bearer("listed")), 503, "store-data-invalid");
  });
});
